"""LossPlot: the loss curves of a race in a PictureView."""

from textual import events

from tutor.plotting import CurveLook, loss_curves
from tutor.training.run import Race
from tutor.ui.widgets.picture_view import PictureView


class LossPlot(PictureView):
    """Loss over iterations; `show_race` draws what the race holds at that moment."""

    DEFAULT_CSS = "LossPlot { width: 1fr; height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._race: Race | None = None
        self._log = False

    def show_race(self, race: Race, *, log: bool) -> None:
        """Draw the race; what looks as before is not painted again."""
        self._race, self._log = race, log
        self._draw()

    def _draw(self) -> None:
        if self._race is None or not self.size.area:
            return
        width, height = self.size
        marks = self.marks_for(len(self._race.runs))
        self.show(
            loss_curves(
                self._race, width, height, CurveLook(log=self._log), marks=marks
            )
        )

    def on_resize(self, event: events.Resize) -> None:
        """Another size is another picture."""
        super().on_resize(event)
        self._draw()
