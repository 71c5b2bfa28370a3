"""What `check` found out about one lesson file."""

from dataclasses import dataclass, replace

from tutor.lesson.load import LessonFile
from tutor.lesson.problem import LessonProblem
from tutor.lesson.schema import ExerciseCell


@dataclass(frozen=True, slots=True)
class Finding:
    """A lesson file, read and perhaps proven."""

    file: LessonFile
    problems: tuple[LessonProblem, ...] = ()
    """Empty: it is as it should be."""
    notes: tuple[LessonProblem, ...] = ()
    """What could be better."""
    wrong: int = 0
    """Wrong answers that got their own message; 0 without a proof."""
    seconds: float = 0.0
    """How long the proof took; 0 without one."""

    def with_problem(self, problem: LessonProblem) -> "Finding":
        """One more problem."""
        return replace(self, problems=(*self.problems, problem))

    @property
    def section(self) -> str | None:
        """Like "2.5", as far as the file tells; None: it does not."""
        section = (self.file.raw or {}).get("section")
        return section if isinstance(section, str) else None

    @property
    def cells(self) -> int:
        """All cells; of a broken lesson, those that can be counted."""
        cells = (self.file.raw or {}).get("cells")
        return len(cells) if isinstance(cells, list) else 0

    @property
    def exercises(self) -> int:
        """Of the cells; 0 for a broken lesson."""
        cells = self.file.lesson.cells if self.file.lesson else []
        return sum(isinstance(cell, ExerciseCell) for cell in cells)
