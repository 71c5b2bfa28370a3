"""What home says of a section: the top line, a word below the list, the panel. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from textual.content import Content

from tutor.safetext import safe_line
from tutor.ui import look
from tutor.ui.course_rows import Entry, Suggestion
from tutor.ui.look import Glyph, Look


def top_line(offer: Suggestion, width: int, table: Look, *, here: bool) -> Content:
    """What to go on with; `here`: the mark is on it."""
    title = table.text(safe_line(offer.section.title))
    strong = look.STRONG if here else ""
    left = Content.assemble(
        (table[Glyph.HERE] if here else " ", look.HERE),
        (table[Glyph.GO], look.HERE),
        (f" {offer.word}  ", strong),
        (f"{offer.section.number} {title}", strong),
    )
    note = Content.styled(offer.note, look.QUIET)
    gap = width - left.cell_length - note.cell_length
    if gap >= 2:
        return Content.assemble(left, " " * gap, note)
    if left.cell_length <= width:
        return left
    return Content.assemble(left.truncate(max(0, width - 1)), table[Glyph.ELLIPSIS])


def facts(entry: Entry) -> str:
    """How it stands, how long it takes, what it builds on."""
    section = entry.section
    said = [entry.standing.value]
    if section.minutes:
        said.append(f"{section.minutes} min")
    if section.needs:
        said.append("needs " + ", ".join(section.needs))
    return "   ".join(said)


def summary(entry: Entry, table: Look) -> str:
    """What the learner will be able to do, or why it cannot be opened."""
    if entry.section.problems:
        problem = entry.section.problems[0]
        brief = replace(problem, file=Path(problem.file).name)
        return table.text(safe_line(str(brief)))
    return table.text(safe_line(entry.section.summary))


def detail(entry: Entry, table: Look) -> Content:
    """Two lines."""
    return Content.assemble(
        (entry.section.number, look.STRONG),
        (f"   {facts(entry)}\n", look.QUIET),
        summary(entry, table),
    )


def panel(entry: Entry, objectives: Sequence[str], table: Look) -> Content:
    """All that is known, for a wide screen."""
    section = entry.section
    lines = [
        Content.styled(section.number, look.QUIET),
        Content.styled(table.text(safe_line(section.title)), look.STRONG),
        Content(),
        Content.styled(facts(entry), look.QUIET),
    ]
    if section.cells:
        counts = f"{section.cells} cells, {section.exercises} of them exercises"
        lines.append(Content.styled(counts, look.QUIET))
    if said := summary(entry, table):
        lines += [Content(), Content(said)]
    if objectives:
        lines += [Content(), Content.styled("You will be able to", look.QUIET)]
    bullet = table[Glyph.BULLET]
    for each in objectives:
        lines.append(Content(f"{bullet} {table.text(safe_line(each))}"))
    return Content("\n").join(lines)
