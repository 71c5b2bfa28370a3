"""The luck meter: a median in its band, how often a goal is reached, where seeds ended."""

from tests.unit import pictured
from tutor.picture import Picture
from tutor.pictures.luck import luck
from tutor.training.lucky import Lucky


def rows_of(picture: Picture, ink: str, column: int) -> list[int]:
    """The rows in which that ink is at a column."""
    return [
        row
        for row, patches in enumerate(picture.patches[1:-4], start=1)
        for each in patches
        if each.ink == ink and each.start <= column < each.end
    ]


def alone(number: int) -> frozenset[str]:
    """The name of the other run."""
    return frozenset({("gd", "sgd")[1 - number]})


def test_the_median_is_inside_its_band() -> None:
    picture = luck(pictured.lucky(), 61, 23, hidden=alone(1))
    for column in range(10, 50):
        median, band = (rows_of(picture, ink, column) for ink in ("b", "b-"))
        assert median
        # A cell has one colour, and where the band is narrow the median has it.
        assert not band or min(band) <= min(median) + 1
        assert not band or max(band) >= max(median) - 1


def test_a_wider_spread_is_a_wider_band() -> None:
    narrow, wide = (
        len(pictured.inked(luck(pictured.lucky(), 61, 23, hidden=alone(at)), ink))
        for at, ink in enumerate(("a-", "b-"))
    )
    assert wide > 2 * narrow


def test_each_run_has_its_numbers() -> None:
    lines = luck(pictured.lucky(), 78, 23).lines
    assert lines[-2].split()[:5] == ["A", "gd", "100", "%", "below"]
    assert lines[-1].count("below") == 1
    assert " loss " in lines[-1]
    assert "40 seeds" in lines[0]


def test_hidden_runs_have_none() -> None:
    text = pictured.text(luck(pictured.lucky(), 78, 23, hidden=alone(1)))
    assert " sgd " in text
    assert " A gd" not in text


def test_a_percentile_that_diverged_is_beyond_the_top() -> None:
    picture = luck(pictured.lucky(diverged=True), 61, 23, hidden=alone(1))
    assert rows_of(picture, "b-", 40)[0] == 1
    plain = luck(pictured.lucky(), 61, 23, hidden=alone(1))
    assert rows_of(plain, "b-", 40)[0] > 1


def test_before_the_first_point_it_is_empty_and_says_so() -> None:
    waiting = Lucky(pictured.lucky().request)
    assert "not begun" in pictured.text(luck(waiting, 61, 23))


def test_ends_are_where_the_seeds_ended() -> None:
    picture = luck(pictured.lucky(), 61, 23, surface=pictured.bowl(), hidden=alone(0))
    cells = [cell for cell in pictured.inked(picture, "a").split("\n")[1:-3] if cell]
    assert cells == [cells[0]]  # forty times the same place
    assert "ends of 40 seeds" in picture.lines[0]


def test_while_it_computes_the_bands_are_shown_whatever_is_asked() -> None:
    so_far = pictured.lucky(ended=False)
    with_surface = luck(so_far, 61, 23, surface=pictured.bowl())
    assert with_surface == luck(so_far, 61, 23)
