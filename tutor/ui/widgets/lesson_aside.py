"""LessonAside: what the lesson is for, beside it where there is room."""

from textual.content import Content

from tutor.lesson.schema import Lesson
from tutor.safetext import safe_line
from tutor.ui import look
from tutor.ui.look import Glyph, Look
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.prose import inline_content


class LessonAside(Lines):
    """Objectives, and what the lesson builds on."""

    DEFAULT_CSS = "LessonAside { width: 36; padding: 1 2; }"

    def __init__(self, lesson: Lesson) -> None:
        super().__init__()
        self._lesson = lesson

    def draw(self, width: int, table: Look) -> list[Content]:
        """The lesson in a few lines."""
        lesson = self._lesson
        lines: list[Content] = []
        if lesson.summary:
            lines += inline_content(lesson.summary, table).wrap(width)
            lines.append(Content())
        if lesson.objectives:
            lines.append(Content.styled("You will be able to", look.QUIET))
        for objective in lesson.objectives:
            lead = (f"{table[Glyph.BULLET]} ", look.HERE)
            lines += hanging(lead, inline_content(objective, table), width)
        needs = ", ".join(lesson.needs)
        facts = [f"{lesson.minutes} minutes"] + ([f"needs {needs}"] if needs else [])
        lines += [Content(), Content.styled(safe_line(", ".join(facts)), look.QUIET)]
        return lines
