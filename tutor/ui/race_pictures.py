"""The picture of a view of a race, and what the engine is asked for it. No widgets."""

from tutor.picture import Marks, Picture
from tutor.pictures.luck import luck
from tutor.pictures.of_view import of_view
from tutor.plotting import loss_curves, suggests_log
from tutor.training.views import Surface, ViewRequest
from tutor.ui.race_control import RaceControl
from tutor.ui.race_views import Sight
from tutor.ui.race_views import sight as sight_of

SURFACE = (64, 48)
"""Columns and rows of a surface: its lines are drawn between its values."""


def is_log(control: RaceControl) -> bool:
    """Whether the loss axis is logarithmic."""
    log = control.looks.log
    return suggests_log(control.race) if log is None else log


def curves(control: RaceControl, width: int, height: int, marks: Marks) -> Picture:
    """The losses of all runs."""
    drawn = control.looks.curves(
        log=is_log(control), hidden=control.hidden, cursor=control.cursor
    )
    return loss_curves(control.race, width, height, drawn, marks=marks)


def request(
    control: RaceControl, sight: Sight, width: int, height: int
) -> ViewRequest | None:
    """What the engine has to be asked for, to draw that view so large; None: nothing."""
    if sight.refusal or control.race.iteration < 0:
        return None
    if sight.name == "luck" and control.looks.ends:
        sight = sight_of("contour", control.race, control.viewed)
    if sight.kind is None or sight.refusal:
        return None
    columns, rows = max(8, width - 8), max(4, 2 * (height - 3))
    if sight.kind == "surface":
        columns, rows = SURFACE
    return ViewRequest(
        sight.kind,
        control.viewed,
        iteration=control.cursor,
        columns=columns,
        rows=rows,
    )


def picture(
    control: RaceControl, sight: Sight, width: int, height: int, marks: Marks
) -> Picture | None:
    """Of a view that is not the curves; None: there is nothing to draw yet."""
    if sight.refusal:
        return None
    if sight.name == "luck":
        return _luck(control, width, height, marks)
    view = control.looking.answers.get(sight.kind) if sight.kind is not None else None
    if view is None or (sight.kind != "surface" and view.run != control.viewed):
        return None
    looks = control.looks
    return of_view(
        view,
        control.race,
        width,
        height,
        marks,
        cursor=control.cursor,
        hidden=control.hidden,
        unit=looks.unit,
        batch=looks.batch,
    )


def _luck(
    control: RaceControl, width: int, height: int, marks: Marks
) -> Picture | None:
    """None: nothing came yet."""
    lucky = control.lucky
    if lucky is None or lucky.iteration < 0:
        return None
    surface = control.looking.answers.get("surface") if control.looks.ends else None
    return luck(
        lucky,
        width,
        height,
        log=control.looks.log or False,
        surface=surface if isinstance(surface, Surface) else None,
        hidden=control.hidden,
        marks=marks,
    )


def shown(
    control: RaceControl,
    sight: Sight,
    width: int,
    height: int,
    marks: Marks = "braille",
) -> Picture:
    """What the screen shows, the curves where the view has no picture."""
    found = picture(control, sight, width, height, marks)
    return curves(control, width, height, marks) if found is None else found
