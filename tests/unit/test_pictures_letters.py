"""Letters stand on the row of their curve; headings and ticks say no half of a thing."""

from tutor.pictures.canvas import Canvas
from tutor.pictures.frame import side_by_side
from tutor.training import options
from tutor.training.axis import linear, whole
from tutor.training.forks import turned
from tutor.ui.race_views import title


def test_letters_of_one_place_stand_beside_each_other_and_stay_inside() -> None:
    assert side_by_side([3, 3, 3], 20) == [3, 4, 5]
    assert side_by_side([2, 9, 9, 9], 10) == [2, 7, 8, 9]
    assert side_by_side([0, 5], 10) == [0, 5]


def test_what_has_no_room_is_told_by_a_sign() -> None:
    said = [((f"{at} = 1.25  ", ""),) for at in range(6)]
    canvas = Canvas(30, 1)
    column = canvas.write_until(0, 0, said, 30)
    assert (
        canvas.picture("braille").lines[0].rstrip() == "0 = 1.25  1 = 1.25  2 = 1.25 …"
    )
    assert column <= 31
    roomy = Canvas(70, 1)
    roomy.write_until(0, 0, said, 70)
    assert "…" not in roomy.picture("braille").lines[0]


def test_what_is_counted_has_whole_ticks_only() -> None:
    assert 0.5 in linear(0, 5, 12).ticks
    assert whole(linear(0, 5, 12)).ticks == (0, 1, 2, 3, 4, 5)


def test_the_title_names_what_runs() -> None:
    race = options.race()
    assert title(race) == "2.14 GD, minibatch SGD, SGD"
    names = [run.name for run in race.runs]
    circle = turned(
        turned(race, names, "dataset", "circle", 0), names, "model", "mlp", 0
    )
    assert title(circle) == "mlp on circle"
