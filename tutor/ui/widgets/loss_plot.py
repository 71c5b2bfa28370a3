"""LossPlot: the loss curves of a race. What they look like is `plotting`'s; this
repaints the lines that have changed, in the theme's colours.
"""

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tutor.picture import INKS, Marks, Patch
from tutor.plotting import loss_curves
from tutor.training.run import Race
from tutor.ui import look
from tutor.ui.look import look_of

_Line = tuple[str, tuple[Patch, ...]]


class LossPlot(Widget):
    """Loss over iterations; `show` draws what the race holds at that moment."""

    DEFAULT_CSS = "LossPlot { width: 1fr; height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.drawn = 0
        """How many pictures were made so far."""
        self._race: Race | None = None
        self._log = False
        self._lines: list[_Line] = []
        self._strips: dict[int, Strip] = {}

    def show(self, race: Race, *, log: bool) -> None:
        """Draw the race; what looks as before is not painted again."""
        self._race, self._log = race, log
        self._draw(self.size)

    def _draw(self, size: Size) -> None:
        if self._race is None or not size.area:
            return
        picture = loss_curves(
            self._race, size.width, size.height, log=self._log, marks=self._marks()
        )
        self.drawn += 1
        before = self._lines
        self._lines = list(zip(picture.lines, picture.patches, strict=True))
        changed = [
            y
            for y, line in enumerate(self._lines)
            if y >= len(before) or line != before[y]
        ]
        for y in changed:
            self._strips.pop(y, None)
        if changed:
            self.refresh(*(Region(0, y, size.width, 1) for y in changed))

    def _marks(self) -> Marks:
        table = look_of(self)
        if table.ascii:
            return "ascii"
        alone = self._race is not None and len(self._race.runs) == 1
        return "braille" if alone or table.settings.colour else "letters"

    def on_resize(self, event: events.Resize) -> None:
        """Another size is another picture."""
        self._lines = []
        self._strips.clear()
        self._draw(event.size)

    def notify_style_update(self) -> None:
        """Another theme, other colours."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One line of the picture."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        if y not in self._strips:
            self._strips[y] = self._strip(*self._lines[y])
        return self._strips[y]

    def _strip(self, line: str, patches: tuple[Patch, ...]) -> Strip:
        base = self.rich_style
        segments, at = [], 0
        for patch in patches:
            segments.append(Segment(line[at : patch.start], base))
            style = base + self._style(patch.ink)
            segments.append(Segment(line[patch.start : patch.end], style))
            at = patch.end
        segments.append(Segment(line[at:], base))
        return Strip([each for each in segments if each.text], len(line))

    def _style(self, ink: str) -> RichStyle:
        variable = look.CURVES[INKS.index(ink)].removeprefix("$")
        colour = Color.parse(self.app.theme_variables[variable])
        return RichStyle(color=colour.rich_color)
