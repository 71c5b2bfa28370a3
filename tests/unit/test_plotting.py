"""The plot as text: its size, its axes, its curves and their letters."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor import plotting
from tutor.picture import INKS, Marks, Picture
from tutor.plotting import CurveLook, loss_curves
from tutor.training.run import Points, Race
from tutor.training.spec import RaceSpec, RunSpec

SIZES = [(40, 10), (80, 24), (120, 40), (200, 60), (12, 5), (30, 6)]


def race(*losses: list[float], iterations: int | None = None) -> Race:
    last = max(map(len, losses)) - 1 if iterations is None else iterations
    names = "abcdef"[: len(losses)]
    so_far = Race(RaceSpec(tuple(RunSpec(name, iterations=last) for name in names)))
    for name, column in zip(names, losses, strict=True):
        so_far.add(Points(name, 0, 0, 1, tuple(column)))
    return so_far


def falling(scale: float = 1.0, count: int = 26) -> list[float]:
    return [scale * 31 * 0.87**at for at in range(count)]


def letters_of(picture: Picture) -> str:
    return "".join(c for line in picture.lines[1:] for c in line if c in "ABCDEF")


@pytest.mark.parametrize("marks", ["braille", "letters", "ascii"])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_size_is_exact_whatever_the_terminal(
    width: int,
    height: int,
    log: bool,
    marks: Marks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("LINES", "5")
    picture = loss_curves(
        race(falling(), falling(0.5)), width, height, CurveLook(log=log), marks=marks
    )
    assert [len(line) for line in picture.lines] == [width] * height
    assert len(picture.patches) == height
    assert sorted(letters_of(picture)) == ["A", "B"]


@pytest.mark.parametrize(("width", "height"), [(0, 0), (1, 1), (11, 24), (80, 4)])
def test_without_room_it_is_blank(width: int, height: int) -> None:
    picture = loss_curves(race(falling()), width, height)
    assert set("".join(picture.lines)) == {" "}
    assert len(picture.lines) == max(height, 1)


def test_ascii_is_ascii() -> None:
    picture = loss_curves(race(falling()), 80, 24, marks="ascii")
    assert "".join(picture.lines).isascii()
    assert "a" in "".join(picture.lines)


def test_the_default_races_picture() -> None:
    picture = loss_curves(race(falling(), falling(0.8)), 60, 16, marks="letters")
    assert picture.lines[0].strip() == "loss"
    assert [line[:2] for line in picture.lines if "┤" in line] == [
        "30", "20", "10", " 0",
    ]  # fmt: skip
    assert picture.lines[-2].split() == ["0", "5", "10", "15", "20", "25"]
    assert picture.lines[-1].strip() == "iteration"
    top = picture.lines[2:5]
    assert "a" in "".join(top)


def test_patches_cover_exactly_the_curves() -> None:
    picture = loss_curves(race(falling(), falling(0.5)), 60, 16, marks="letters")
    shown = [
        (line[patch.start : patch.end].upper(), "AB"[INKS.index(patch.ink)])
        for line, patches in zip(picture.lines, picture.patches, strict=True)
        for patch in patches
    ]
    assert all(set(cells) == {letter} for cells, letter in shown)
    assert {letter for _, letter in shown} == {"A", "B"}
    covered = sum(len(cells) for cells, _ in shown)
    canvas = "".join(line[3:] for line in picture.lines[1:-3])
    assert covered == sum(c in "abAB" for c in canvas)


def test_curves_that_end_together_have_letters_on_different_rows() -> None:
    same = race(*[falling()] * 6)
    for height in (10, 24):
        assert sorted(letters_of(loss_curves(same, 40, height))) == list("ABCDEF")


def test_the_first_curve_is_on_top() -> None:
    picture = loss_curves(race(falling(), falling()), 60, 16, marks="letters")
    canvas = "".join(line[3:] for line in picture.lines[1:-3])
    assert "a" in canvas
    assert "b" not in canvas


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "losses",
    [
        [],
        [5.0],
        [math.nan] * 5,
        [0.0] * 5,
        [1e-30] * 5,
        [1e30, 1e-30],
        [3.0] * 30,
        [-1.0, -5.0],
        [31.0, 1e5, 1e38, math.inf],
        [31.0, math.nan, 5.0],
    ],
)
def test_odd_losses_are_drawn_as_far_as_they_can(
    losses: list[float], log: bool
) -> None:
    picture = loss_curves(race(losses, iterations=30), 80, 24, CurveLook(log=log))
    assert {len(line) for line in picture.lines} == {80}
    drawable = [
        loss for loss in losses if math.isfinite(loss) and (loss > 0 or not log)
    ]
    assert letters_of(picture) == ("A" if drawable else "")


def test_a_spike_between_two_columns_is_seen() -> None:
    losses = [1.0] * 5000
    losses[2345] = 9.0
    picture = loss_curves(race(losses), 60, 16, marks="letters")
    assert "a" in "".join(picture.lines[1:4])


def test_a_long_race_is_shown_as_far_as_it_came() -> None:
    so_far = race(falling(), iterations=10**9)
    assert plotting.horizon(so_far) < 500
    so_far.add(Points("a", 26, 26, 1, (1.0,) * 10_000))
    assert 10_025 < plotting.horizon(so_far) < 30_000
    assert plotting.horizon(race(falling(), iterations=800)) == 800


def test_a_log_axis_is_suggested_when_losses_differ_much() -> None:
    assert not plotting.suggests_log(race(falling()))
    assert plotting.suggests_log(race([31.0, 0.001]))
    assert plotting.suggests_log(race([31.0, 1e9, math.inf]))
    assert not plotting.suggests_log(race([]))


def canvas_of(picture: Picture) -> str:
    """What is drawn, without axes and names."""
    return "\n".join(line[3:] for line in picture.lines[1:-3])


def test_hidden_runs_are_left_out_and_the_others_keep_their_letters() -> None:
    look = CurveLook(hidden=frozenset({"a"}))
    picture = loss_curves(race(falling(), falling(0.5)), 60, 16, look, marks="letters")
    assert letters_of(picture) == "B"
    assert "a" not in canvas_of(picture)


def test_at_most_six_curves_are_drawn() -> None:
    runs = tuple(RunSpec(name, iterations=3) for name in "stuvwxyz")
    so_far = Race(RaceSpec(runs))
    for number, run in enumerate(runs):
        so_far.add(Points(run.name, 0, 0, 1, (number + 1.0,) * 4))
    picture = loss_curves(so_far, 60, 24, marks="letters")
    assert sorted(letters_of(picture)) == list("ABCDEF")


def test_a_fork_begins_where_it_branches_off() -> None:
    so_far = race(falling(), [], iterations=25)
    so_far.add(Points("b", 20, 20, 1, (30.0,) * 6))
    picture = loss_curves(so_far, 60, 16, marks="letters")
    columns = [
        at for line in picture.lines[1:-3] for at, c in enumerate(line) if c == "b"
    ]
    assert min(columns) > 40
    assert max(columns) < 58


def test_the_cursor_is_a_line_with_its_iteration_and_a_letter_on_each_curve() -> None:
    so_far = race(falling(), falling(0.5))
    picture = loss_curves(so_far, 60, 16, CurveLook(cursor=7))
    assert "7" in picture.lines[-2].split()
    (column,) = {
        at for line in picture.lines[1:-3] for at, c in enumerate(line) if c == "┊"
    }
    marked = "".join(line[column] for line in picture.lines[1:-3])
    assert set(marked) >= {"A", "B", "┊"}
    at = picture.lines[-3].index("┴")
    assert at == column
    patch = next(each for each in picture.patches[-3] if each.ink == "here")
    assert (patch.start, patch.end) == (column, column + 1)


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("last", [25, 9999])
def test_no_label_is_cut_by_the_cursors_number(width: int, last: int) -> None:
    so_far = race([1.0] * (last + 1))
    plain = loss_curves(so_far, width, 16).lines[-2].split()
    for share in range(41):
        cursor = last * share // 40
        shown = loss_curves(so_far, width, 16, CurveLook(cursor=cursor)).lines[-2]
        assert str(cursor) in shown.split()
        assert set(shown.split()) <= {*plain, str(cursor)}
        assert len(shown.split()) >= len(plain) - 2


def test_a_cursor_outside_of_the_window_is_not_drawn() -> None:
    look = CurveLook(cursor=20, window=(0, 10))
    picture = loss_curves(race(falling()), 60, 16, look)
    assert "┊" not in "".join(picture.lines)


def test_a_window_shows_only_itself_and_fits_the_losses_there() -> None:
    losses = [30.0] * 50 + [2.0, 1.0] * 25
    picture = loss_curves(
        race(losses), 60, 16, CurveLook(window=(60, 80)), marks="letters"
    )
    ticks = [float(line.split("┤")[0]) for line in picture.lines if "┤" in line]
    assert min(ticks) >= 0.9
    assert max(ticks) <= 2.1
    labels = [float(label) for label in picture.lines[-2].split()]
    assert labels == [60, 65, 70, 75, 80]


def test_a_line_goes_on_to_both_sides_of_the_window() -> None:
    picture = loss_curves(
        race([0.0, 10.0], iterations=1), 60, 16, CurveLook(window=(0.4, 0.6)),
        marks="letters",
    )  # fmt: skip
    # No point is inside, but the line between the two goes through it.
    assert letters_of(picture) == "A"
    assert "aaaaaaaa" in canvas_of(picture).replace("\n", "").replace(" ", "")


def test_over_samples_runs_that_look_at_few_begin_on_the_left() -> None:
    so_far = Race(
        RaceSpec((RunSpec("a", iterations=9), RunSpec("b", batch=10, iterations=9)))
    )
    so_far.add(Points("a", 0, 0, 1000, tuple(falling(count=10))))
    so_far.add(Points("b", 0, 0, 10, tuple(falling(count=10))))
    picture = loss_curves(so_far, 60, 16, CurveLook(across="samples"), marks="letters")
    assert "samples" in picture.lines[-1]
    ends = {
        letter: max(line.find(letter) for line in picture.lines[1:-3])
        for letter in "AB"
    }
    # 90 and 9000 samples, on a logarithmic axis.
    assert 20 < ends["B"] < 45 < ends["A"]


def test_over_samples_each_run_goes_as_far_as_its_own_iterations() -> None:
    runs = RunSpec("a", iterations=1), RunSpec("b", batch=1, iterations=1000)
    so_far = Race(RaceSpec(runs))
    so_far.add(Points("a", 0, 0, 1000, tuple(falling(count=2))))
    so_far.add(Points("b", 0, 0, 1, tuple(falling(count=1001))))
    picture = loss_curves(so_far, 60, 16, CurveLook(across="samples"), marks="letters")
    ends = {
        letter: max(line.find(letter) for line in picture.lines[1:-3])
        for letter in "AB"
    }
    # Both have looked at 1000 samples, and that is where the axis ends.
    assert ends["A"] > 50
    assert ends["B"] > 50


@pytest.mark.parametrize("smooth", [0, 5, 9, 401])
def test_a_running_mean_keeps_both_ends(smooth: int) -> None:
    so_far = race([5.0, 1.0] * 20 + [7.0])
    look = CurveLook(smooth=smooth)
    first, last = (plotting.read_out(so_far, look, at)[0] for at in (0, 40))
    assert (first.loss, last.loss) == (5.0, 7.0)
    if smooth:
        assert (first.mean, last.mean) == (5.0, 7.0)
        middle = plotting.read_out(so_far, look, 20)[0].mean
        half = smooth // 2 if smooth < 41 else 20
        losses = so_far.runs["a"].losses[20 - half : 21 + half]
        assert middle == pytest.approx(sum(losses) / len(losses))


def test_the_curve_before_smoothing_stays_faint_behind() -> None:
    so_far = race([5.0, 1.0] * 20)
    picture = loss_curves(so_far, 60, 16, CurveLook(smooth=5))
    inks = {patch.ink for patches in picture.patches for patch in patches}
    assert inks >= {"a", "a-"}
    assert "mean of 5" in picture.lines[0]
    plain = loss_curves(so_far, 60, 16, CurveLook(smooth=5), marks="letters")
    assert {p.ink for patches in plain.patches[1:] for p in patches} == {"a"}


def test_read_out_is_exact_and_leaves_out_the_hidden() -> None:
    so_far = race(falling(), falling(0.5))
    look = CurveLook(hidden=frozenset({"a"}), across="samples")
    (row,) = plotting.read_out(so_far, look, 3)
    assert (row.letter, row.name, row.iteration, row.across) == ("B", "b", 3, 3)
    assert row.loss == falling(0.5)[3]
    assert (row.test_loss, row.mean) == (None, None)


@pytest.mark.parametrize("across", ["iterations", "samples"])
def test_a_spike_is_seen_in_a_million_points(across: plotting.Across) -> None:
    so_far = race([], iterations=10**6)
    losses = [1.0] * 10**6
    losses[765_432] = 9.0
    so_far.add(Points("a", 0, 0, 1, tuple(losses)))
    for look in (
        CurveLook(across=across),
        CurveLook(across=across, window=(700_000, 800_000)),
        CurveLook(across=across, window=(765_000, 766_000)),
    ):
        picture = loss_curves(so_far, 60, 16, look, marks="letters")
        assert "a" in "".join(picture.lines[1:4]), look


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("losses", "tick"), [([1e-30] * 9, 1e-30), ([1e30] * 9, 1e30), ([3.0] * 9, 3.0)]
)
def test_constant_losses_have_right_ticks(
    losses: list[float], tick: float, log: bool
) -> None:
    picture = loss_curves(race(losses), 80, 24, CurveLook(log=log), marks="letters")
    rows = {y: line for y, line in enumerate(picture.lines[:-3]) if "a" in line[6:]}
    (row,) = rows
    ticks = [
        (y, float(line.split("┤")[0]))
        for y, line in enumerate(picture.lines)
        if "┤" in line
    ]
    below = [value for y, value in ticks if y >= row]
    above = [value for y, value in ticks if y <= row]
    assert max(below) <= tick * 1.000001
    assert not above or min(above) >= tick * 0.999999 or log


@given(
    losses=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    window=st.none() | st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e9)),
    cursor=st.none() | st.integers(0, 10**7),
    smooth=st.integers(0, 100),
    across=st.sampled_from(["iterations", "samples", "seconds"]),
    log=st.booleans(),
    marks=st.sampled_from(["braille", "letters", "ascii"]),
    size=st.tuples(st.integers(1, 90), st.integers(1, 30)),
)
@settings(deadline=None, max_examples=150)
def test_any_look_is_a_picture_of_the_exact_size(
    losses: list[float],
    window: tuple[float, float] | None,
    cursor: int | None,
    smooth: int,
    across: plotting.Across,
    log: bool,
    marks: Marks,
    size: tuple[int, int],
) -> None:
    look = CurveLook(log, across, smooth, True, frozenset(), window, cursor)
    picture = loss_curves(race(losses, iterations=60), *size, look, marks=marks)
    assert [len(line) for line in picture.lines] == [size[0]] * size[1]
    for patches in picture.patches:
        ends = [0, *(at for each in patches for at in (each.start, each.end)), size[0]]
        assert ends == sorted(ends)
    if marks == "ascii":
        assert "".join(picture.lines).isascii()


def test_losses_on_test_data_are_dashed_faint_and_end_in_a_small_letter() -> None:
    so_far = race([], [], iterations=25)
    tests = tuple(loss + 20 for loss in falling())
    so_far.add(Points("b", 0, 0, 1, tuple(falling()), test_losses=tests))
    picture = loss_curves(so_far, 60, 16)
    faint, train = (
        sum(p.end - p.start for line in picture.patches for p in line if p.ink == ink)
        for ink in ("b-", "b")
    )
    assert 0 < faint < 0.8 * train
    assert picture.lines[0].split("·")[1].split() == ["b:", "on", "test", "data"]
    ends = [line.rstrip()[-1] for line in picture.lines[1:-3] if line.rstrip()]
    assert ends.index("b") < ends.index("B")
    plain = loss_curves(so_far, 60, 16, CurveLook(test=False))
    assert "test" not in plain.lines[0]
    assert not [p for line in plain.patches for p in line if p.ink == "b-"]
    (_, row) = plotting.read_out(so_far, CurveLook(), 3)
    assert (row.loss, row.test_loss) == (falling()[3], tests[3])


def test_over_seconds_a_slow_run_ends_further_right() -> None:
    so_far = race([], [], iterations=25)
    for name, seconds in (("a", 1.0), ("b", 3.0)):
        so_far.add(Points(name, 0, 0, 1, tuple(falling()), seconds=(0.0, seconds)))
    picture = loss_curves(so_far, 60, 16, CurveLook(across="seconds"), marks="letters")
    assert picture.lines[-1].strip() == "seconds of computing"
    ends = {
        letter: max(line.find(letter) for line in picture.lines[1:-3])
        for letter in "AB"
    }
    assert ends["A"] < 25 < 50 < ends["B"]
    assert plotting.read_out(so_far, CurveLook(across="seconds"), 25)[1].across == 3.0


def test_a_forks_running_mean_keeps_its_first_point() -> None:
    runs = (RunSpec("a", iterations=25), RunSpec("b", iterations=25, of="a", since=10))
    so_far = Race(RaceSpec(runs))
    so_far.add(Points("a", 0, 0, 1, tuple(falling())))
    so_far.add(Points("b", 10, 10, 1, (9.0, 5.0, 1.0) * 5))
    _, row = plotting.read_out(so_far, CurveLook(smooth=7), 10)
    assert (row.loss, row.mean) == (9.0, 9.0)
    _, before = plotting.read_out(so_far, CurveLook(smooth=7), 3)
    assert math.isnan(before.loss)


def test_the_cursor_is_where_its_iteration_is_on_the_axis() -> None:
    so_far = race(falling())
    bare = loss_curves(so_far, 60, 16).lines[-3]
    ticks = [at for at, sign in enumerate(bare) if sign == "┬"]
    for number, iteration in enumerate((0, 5, 10, 15, 20, 25)):
        marked = loss_curves(so_far, 60, 16, CurveLook(cursor=iteration)).lines[-3]
        assert marked.index("┴") == ticks[number]


@pytest.mark.parametrize("height", [8, 12, 24])
def test_letters_stand_on_the_row_where_their_curves_end(height: int) -> None:
    """Beside each other where the curves are, not on rows of other losses."""
    curves = [falling(), falling(1.01), falling(0.99)]
    lines = loss_curves(race(*curves), 40, height).lines
    assert sum("ABC" in line for line in lines) == 1
    low = [*falling(count=25), 1.548]
    lines = loss_curves(race(low), 60, height).lines
    row = next(at for at, line in enumerate(lines) if "A" in line)
    assert lines[row].split("A")[0].rstrip()[-1] not in "┤│"  # its curve is there


def test_where_no_loss_is_finite_that_is_said() -> None:
    race = Race(RaceSpec((RunSpec("gd"),)))
    said = "No loss is finite, from iteration 0 on."
    assert said not in "\n".join(loss_curves(race, 80, 20).lines)
    race.add(Points("gd", 0, 0, 1, (math.inf, math.nan)))
    lines = loss_curves(race, 80, 20).lines
    assert [each.strip() for each in lines if each.strip()] == [said], "no axis"
    assert len(loss_curves(race, 20, 8).lines[4]) == 20
    race.add(Points("gd", 2, 0, 1, (1.0,)))
    assert said not in "\n".join(loss_curves(race, 80, 20).lines)
