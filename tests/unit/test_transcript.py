"""The transcript: streams merged as a terminal would, everything bounded."""

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tutor import transcript
from tutor.kernel.outputs import (
    Clear,
    Display,
    Done,
    Failure,
    InputRequest,
    Notice,
    Output,
    Result,
    Stream,
)
from tutor.safetext import safe
from tutor.stream_lines import LINE
from tutor.transcript import CellLines, Transcript


def cell(*outputs: Output, echo: str | None = None) -> CellLines:
    lines = CellLines(echo)
    for output in outputs:
        lines.feed(output)
    return lines


def plain(lines: CellLines) -> list[str]:
    return [line.text.plain for line in lines]


def out(text: str) -> Stream:
    return Stream("stdout", text)


def test_pieces_of_a_line_are_one_line() -> None:
    assert plain(cell(out("ab"), out("c\nd"), out("e"))) == ["abc", "de"]


def test_an_empty_line_is_kept_and_a_last_newline_adds_none() -> None:
    assert plain(cell(out("a\n\nb\n"))) == ["a", "", "b"]


def test_leading_spaces_stay_so_that_tensors_stay_aligned() -> None:
    tensor = "tensor([[1., 2.],\n        [3., 4.]])"
    assert plain(cell(Result(tensor))) == tensor.split("\n")


def test_a_carriage_return_overwrites_across_chunks() -> None:
    assert plain(cell(out("  1%"), out("\r"), out(" 50"))) == [" 50%"]


def test_crlf_across_chunks_is_one_newline() -> None:
    assert plain(cell(out("a\r"), out("\nb"))) == ["a", "b"]


def test_an_escape_sequence_across_chunks_leaves_nothing_behind() -> None:
    lines = cell(
        out("a\x1b[3"), out("1mred\x1b"), out("[0m b\x1b]0;ti"), out("tle\x07")
    )
    assert plain(lines) == ["ared b"]


def test_a_colour_goes_on_over_lines_and_chunks() -> None:
    lines = cell(out("\x1b[31ma\n"), out("b\n"), out("\x1b[0mc"))
    reds = [[span.style.foreground for span in line.text.spans] for line in lines]
    assert reds == [[1], [1], []]


def test_the_other_stream_begins_a_line_of_its_own() -> None:
    lines = cell(out("out"), Stream("stderr", "warning\n"), out("more"))
    assert [(line.tone, line.text.plain) for line in lines] == [
        ("stdout", "out"),
        ("stderr", "warning"),
        ("stdout", "more"),
    ]


def test_a_result_ends_the_printed_line_and_its_note_follows() -> None:
    lines = cell(out("printed"), Result("tensor(1.)", "shape ()"), Display("shown"))
    assert [(line.tone, line.text.plain) for line in lines] == [
        ("stdout", "printed"),
        ("result", "tensor(1.)"),
        ("note", "shape ()"),
        ("result", "shown"),
    ]


def test_a_failure_without_traceback_is_its_headline() -> None:
    assert plain(cell(Failure("ValueError", "no", ""))) == ["ValueError: no"]
    assert plain(cell(Failure("KeyError", "", ""))) == ["KeyError"]


def test_clear_takes_the_outputs_and_leaves_the_echo() -> None:
    lines = cell(out("a\nb"), Clear(), out("c"), echo="f()")
    assert [(line.tone, line.text.plain) for line in lines] == [
        ("echo", "f()"),
        ("stdout", "c"),
    ]


def test_an_echo_knows_its_first_line() -> None:
    lines = list(cell(echo="def f():\n    pass\n"))
    assert [line.continues for line in lines] == [False, True]


def test_a_death_and_an_interrupt_are_said() -> None:
    assert plain(cell(Done("died", "segmentation fault (signal 11)"))) == [
        "The kernel died: segmentation fault (signal 11)."
    ]
    assert plain(cell(Done("interrupted"))) == ["Interrupted."]
    failure = Failure("KeyboardInterrupt", "", "KeyboardInterrupt")
    assert plain(cell(failure, Done("interrupted"))) == ["KeyboardInterrupt"]


def test_what_says_nothing_shows_nothing() -> None:
    assert plain(cell(InputRequest("name?"), Done("ok"), Notice(""), out(""))) == []


def test_markup_is_text() -> None:
    assert plain(cell(out("[/nope] [link=x]A[/link]"))) == ["[/nope] [link=x]A[/link]"]


def test_a_long_cell_keeps_its_beginning_and_its_end() -> None:
    lines = cell()
    for start in range(0, 100_000, 1000):
        lines.feed(out("".join(f"{n}\n" for n in range(start, start + 1000))))
    shown = plain(lines)
    half = transcript.LINES // 2
    assert shown[0] == "0"
    assert shown[half] == "… 90 000 lines folded"
    assert shown[-1] == "99999"
    assert len(shown) == transcript.LINES + 1


def test_one_huge_chunk_is_folded_likewise() -> None:
    lines = cell(out("".join(f"{n}\n" for n in range(100_000))))
    shown = plain(lines)
    assert shown[transcript.LINES // 2] == "… 90 000 lines folded"
    assert shown[-1] == "99999"


def test_characters_are_bounded_too() -> None:
    lines = cell()
    for _ in range(3000):
        lines.feed(out("x" * 999 + "\n"))
    shown = plain(lines)
    assert sum(map(len, shown)) < transcript.CHARACTERS + 2 * LINE
    assert any("lines folded" in line for line in shown)


def test_a_long_line_ends_in_what_is_missing() -> None:
    for chunks in ([5_000_000], [50_000] * 100):
        lines = cell(*(out("x" * length) for length in chunks), out("\nnext"))
        first, second = plain(lines)
        assert first == "x" * 4000 + " … 4 996 000 characters cut"
        assert second == "next"


def test_a_progress_bar_without_newlines_stays_small() -> None:
    lines = cell()
    for n in range(20_000):
        lines.feed(out(f"\r\x1b[32m{n:6}/20000\x1b[0m it/s"))
    assert plain(lines) == [" 19999/20000 it/s"]
    assert len(lines._open.raw) < 5 * LINE


def test_old_cells_make_room_for_new_ones() -> None:
    log = Transcript()
    for n in range(6):
        log.begin(f"cell {n}")
        log.feed(out("line\n" * 9000))
    assert [next(iter(each)).text.plain for each in log.cells] == ["cell 4", "cell 5"]


def test_a_huge_echo_alone_is_folded_and_never_dropped() -> None:
    log = Transcript()
    log.begin("x = 1\n" * 50_000)
    log.feed(out("done"))
    shown = plain(log.cells[-1])
    assert shown[transcript.ECHO_LINES :] == ["… 49 800 lines folded", "done"]


def test_an_empty_transcript_says_so() -> None:
    log = Transcript()
    seen = [log.is_empty]
    log.begin("1")
    seen.append(log.is_empty)
    log.clear()
    seen.append(log.is_empty)
    log.feed(out("x"))
    seen.append(log.is_empty)
    assert seen == [True, False, True, False]


PIECES = st.sampled_from([
    "a", "bc", " ", "\t", "\n", "\r", "\r\n", "é", "漢", "\x1b[31m", "\x1b[0m", "\x1b[1",
    "\x1b]0;t\x07", "\x1b", "[", "\x9b31m", "\x00", "\u202e", "\x1b[38;5;200m", "m",
])  # fmt: skip


@given(st.lists(PIECES, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_chunks_do_not_matter(pieces: list[str], random: Random) -> None:
    text = "".join(pieces)
    cuts = sorted(random.randrange(len(text) + 1) for _ in range(4))
    edges = [0, *cuts, len(text)]
    chunks = [text[a:b] for a, b in pairwise(edges)]
    whole, parts = list(cell(out(text))), list(cell(*map(out, chunks)))
    assert [line.text.plain for line in parts] == [line.text.plain for line in whole]
    assert [line.text.spans for line in parts] == [line.text.spans for line in whole]
    at_once = safe(text).plain
    assert "\n".join(plain(cell(out(text)))).rstrip("\n") == at_once.rstrip("\n")
