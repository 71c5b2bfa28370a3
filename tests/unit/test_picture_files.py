"""Pictures as SVG and as coloured text: valid, complete, nothing that commands."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_pictures import PICTURES
from tutor.picture import FAINT, HEATS, INKS, Patch, Picture
from tutor.pictures import inks
from tutor.pictures.ansi import ansi
from tutor.pictures.svg import HEIGHT, WIDTH, svg

SVG = "{http://www.w3.org/2000/svg}"
ROLES = (*INKS, *FAINT, *HEATS, "quiet", "strong", "bad", "here", "class0", "class1")


def parsed(picture: Picture, title: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(svg(picture, title))


def words(root: ElementTree.Element) -> list[tuple[str, int, int]]:
    """Each word with its column and row."""
    return [
        (
            each.text or "",
            int(each.attrib["x"]) // WIDTH,
            int(each.attrib["y"]) // HEIGHT,
        )
        for each in root.iter(f"{SVG}text")
    ]


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_a_valid_document(name: str) -> None:
    picture = PICTURES[name](78, 30, "braille")
    root = parsed(picture, name)
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == name
    style = root.findtext(f"{SVG}style") or ""
    assert "prefers-color-scheme: dark" in style
    used = {
        part
        for each in root.iter()
        for part in each.attrib.get("class", "").split()
        if part.startswith("i")
    }
    assert used
    assert all(f".{role}" in style for role in used)


def test_words_are_where_they_are_in_the_picture() -> None:
    picture = Picture(
        (" loss  <&> ", "10┤a b"), ((Patch(1, 5, "strong"),), (Patch(3, 4, "a"),))
    )
    assert words(parsed(picture)) == [
        ("loss", 1, 0), ("<&>", 7, 0), ("10", 0, 1), ("a", 3, 1), ("b", 5, 1),
    ]  # fmt: skip


def test_dots_and_blocks_are_shapes() -> None:
    # The lowest dot on the right, then an upper half in one colour over another.
    root = parsed(
        Picture(("⢀▀",), ((Patch(0, 1, "b"), Patch(1, 2, "heat0", "heat7")),))
    )
    paths = [
        (each.attrib["class"], each.attrib["d"]) for each in root.iter(f"{SVG}path")
    ]
    assert ("dots ib", "M6 14h0") in paths
    assert ("iheat7", "M8 0h8v16h-8z") in paths
    assert ("iheat0", "M8 0h8v8h-8z") in paths
    assert not words(root)


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_text_is_valid_xml(line: str, title: str) -> None:
    parsed(Picture((line,), ((),)), title)


def test_a_script_stays_text() -> None:
    evil = "</text><script>alert(1)</script>"
    root = parsed(Picture((evil,), ((),)), evil)
    assert not list(root.iter(f"{SVG}script"))


@pytest.mark.parametrize("name", PICTURES)
def test_coloured_text_is_the_plain_text_with_colours(name: str) -> None:
    picture = PICTURES[name](52, 18, "braille")
    plain, coloured = ansi(picture, colours=False), ansi(picture, colours=True)
    assert "\x1b" not in plain
    assert plain == "".join(line.rstrip() + "\n" for line in picture.lines)
    bare = re.sub("\x1b\\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.split("\n")] == plain.split("\n")
    assert coloured.count("\x1b[0m") * 2 == coloured.count("\x1b[")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_told_by_its_codes(role: str) -> None:
    text = ansi(Picture(("xy",), ((Patch(0, 1, role),),)), colours=True)
    codes = re.match("\x1b\\[([0-9;]+)m", text)
    assert codes is not None
    found = set(map(int, codes[1].split(";")))
    assert (2 in found) == (role in inks.DIM)
    assert (1 in found) == (role in inks.BOLD)
    assert bool(found - {1, 2}) == (role in inks.DARK)


def test_grounds_of_blank_cells_at_the_end_are_kept() -> None:
    picture = Picture(("x  ",), ((Patch(1, 3, "", "heat0"),),))
    assert ansi(picture, colours=True) == "x\x1b[44m  \x1b[0m\n"
