"""HomeScreen: the 18 sections and how far the learner is in each.

Which rows there are is `ui.course_rows`', how they are drawn `widgets.course_list`'s.
Painted before a session exists; opening anything is the app's.
"""

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from tutor.errors import TutorError
from tutor.lesson.course import Course, Section
from tutor.progress import Progress
from tutor.ui import look
from tutor.ui.course_rows import Entry, Standing, entries, matching, suggestion
from tutor.ui.look import Glyph
from tutor.ui.screens.frame import FrameScreen, bindings
from tutor.ui.section_words import detail, panel, summary, top_line
from tutor.ui.widgets.course_list import CourseList
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.plain import Plain

if TYPE_CHECKING:  # the first frame needs no text input
    from textual.widgets import Input

BAR_CELLS = 6
LIST_WIDTH = 80


class HomeScreen(FrameScreen[None]):
    """Where the tutor begins."""

    PLACE = "home"
    BINDINGS = bindings("home")
    DEFAULT_CSS = """
    HomeScreen {
        & #top { height: 2; padding: 0 1 0 0; }
        & #search { height: 2; display: none; }
        & #search-mark { width: 3; padding: 0 0 0 1; }
        & #sections { height: 1fr; scrollbar-size-vertical: 1; }
        & #detail { height: 2; padding: 0 1; margin: 1 0 0 0; }
        & #panel { display: none; width: 1fr; padding: 0 2 0 3; }
        &.-searching #top { display: none; }
        &.-searching #search { display: block; }
        &.-wide #list { width: 80; }
        &.-wide #panel { display: block; }
        &.-wide #detail { display: none; }
        &.-wide #top { margin: 1 0; }
        &.-low #top, &.-low #search { height: 1; }
        &.-low #detail { height: 1; margin: 0; }
    }
    """

    def __init__(self, course: Course, progress: Progress) -> None:
        super().__init__()
        self.course = course
        self._progress = progress
        self._entries: tuple[Entry, ...] = ()
        self._left = False
        self._objectives: dict[str, tuple[str, ...]] = {}
        """By section; filled when a wide screen asks."""

    def compose_content(self) -> ComposeResult:
        """What to go on with, the sections, and a word on the marked one."""
        yield Plain(id="top")
        with Horizontal(id="search"):
            yield Plain("/", style=look.HERE, id="search-mark")
        with Horizontal(id="middle"):
            with Vertical(id="list"):
                with VerticalScroll(id="sections", can_focus=False):
                    yield CourseList()
                yield Plain(id="detail")
            yield Plain(id="panel")

    # ------------------------------------------------------------------- what it says

    def title_parts(self) -> TitleParts:
        """How much of the course is done."""
        done = sum(each.standing is Standing.DONE for each in self._entries)
        total = len(self._entries)
        full = round(BAR_CELLS * done / total) if total else 0
        bar = Content.assemble(
            (self.look[Glyph.FULL] * full, look.HERE),
            (self.look[Glyph.EMPTY] * (BAR_CELLS - full), look.QUIET),
        )
        said = Content(f"{done} of {total} done")
        return TitleParts(
            Content.styled(self.app.title, look.STRONG),
            (said, Content(f"{done}/{total}")),
            (bar, Content()),
        )

    def about(self) -> str:
        """What the signs mean."""
        table = self.look
        return (
            "The sections of the course, each a lesson of about ten minutes. "
            f"{table[Glyph.DONE]} done, {table[Glyph.PARTLY]} begun, "
            f"{table[Glyph.TODO]} not begun, {table[Glyph.UNWRITTEN]} not written yet. "
            "Any section may be opened first; what it builds on is said below the list."
        )

    def on_mount(self) -> None:
        """Draw what is known now."""
        self.refresh_course()

    def on_screen_resume(self) -> None:
        """A lesson may have got further; the first time nothing has."""
        if self._left:
            self.refresh_course()

    def on_screen_suspend(self) -> None:
        """Something is opened over it."""
        self._left = True

    def refresh_course(self) -> None:
        """Draw sections and progress anew; the mark stays where it was."""
        marked = self._list.marked
        self._entries = entries(self.course, self._progress)
        self._list.entries = self._entries
        number = marked.section.number if marked else None
        self._list.marked = self._entry(number)
        self._show_top()
        self._show_detail()
        self.refresh_frame()

    def _show_top(self) -> None:
        offer = suggestion(self._entries, self._progress)
        width = min(self.size.width, LIST_WIDTH) - 1
        here = self._list.marked is None
        line = top_line(offer, width, self.look, here=here) if offer else ""
        self.query_one("#top", Plain).show(line)

    def on_resize(self) -> None:
        """The top line fills the width."""
        if self.is_mounted:
            self._show_top()

    # ------------------------------------------------------------------ the marked one

    @property
    def _list(self) -> CourseList:
        return self.query_one(CourseList)

    def _entry(self, number: str | None) -> Entry | None:
        found = (each for each in self._entries if each.section.number == number)
        return next(found, None)

    def _marked(self) -> Entry | None:
        """The marked section; on the top line, the one it offers."""
        if self._list.marked is not None:
            return self._list.marked
        offer = suggestion(self._entries, self._progress)
        return self._entry(offer.section.number) if offer else None

    @on(CourseList.Marked)
    def _follow_mark(self) -> None:
        self._show_top()
        self._show_detail()

    def _show_detail(self) -> None:
        entry = self._marked()
        if entry is None:
            return
        self.query_one("#detail", Plain).show(detail(entry, self.look))
        if not self.has_class("-wide"):
            return
        section = entry.section
        objectives = self._objectives.get(section.number)
        self.query_one("#panel", Plain).show(panel(entry, objectives or (), self.look))
        if objectives is None and section.ready:
            self._read_objectives(section)

    @work(group="objectives", exclusive=True)
    async def _read_objectives(self, section: Section) -> None:
        from tutor.lesson.load import load_lesson

        assert section.file is not None
        try:
            lesson = load_lesson(section.file)
        except TutorError:
            self._objectives[section.number] = ()
            return
        self._objectives[section.number] = tuple(lesson.objectives)
        self._show_detail()

    # ---------------------------------------------------------------------- actions

    def action_open_section(self) -> None:
        """Open the marked section."""
        if (entry := self._marked()) is not None:
            self._open(entry)

    @on(CourseList.Chosen)
    def _open_clicked(self, event: CourseList.Chosen) -> None:
        self._open(event.entry)

    def _open(self, entry: Entry) -> None:
        section = entry.section
        if entry.standing is Standing.UNWRITTEN:
            self.say(
                f"{section.number} is not written yet. "
                "The sections with a ring or a disc before them can be opened."
            )
        elif entry.standing is Standing.BROKEN:
            self.say(summary(entry, self.look), look.BAD)
        else:
            self._end_search()
            self.host.open_section(section.number)

    def action_previous_section(self) -> None:
        """Up; above the first section is the top line."""
        if not self._list.move(-1) and self.mode == "command":
            self._list.marked = None

    def action_next_section(self) -> None:
        """Down."""
        self._list.move(1)

    def action_other_column(self) -> None:
        """Across."""
        self._list.move_across()

    def action_first_section(self) -> None:
        """To the top line."""
        self._list.marked = None

    def action_last_section(self) -> None:
        """To the last section."""
        self._list.move_to_end(last=True)

    def action_open_console(self) -> None:
        """The console."""
        self.host.open_console()

    def action_open_training(self) -> None:
        """The training screen."""
        self.host.open_training()

    def action_open_stepper(self) -> None:
        """The stepper."""
        self.host.open_stepper()

    async def action_leave(self) -> None:
        """Quit."""
        await self.action_quit()

    # ----------------------------------------------------------------------- search

    def action_search(self) -> None:
        """Type a word; the list follows."""
        self.add_class("-searching")
        self.mode = "edit"
        from tutor.ui.widgets.search_input import SearchInput

        field = SearchInput(blink=self.look.settings.link == "fast")
        self.query_one("#search").mount(field)
        field.focus()

    def on_input_changed(self, event: "Input.Changed") -> None:
        """The list follows what is typed."""
        found = matching(self._entries, event.value)
        self._list.entries = found
        ready = [each for each in found if each.section.ready]
        self._list.marked = next(iter((*ready, *found)), None)
        self._show_detail()

    def on_input_submitted(self) -> None:
        """Enter opens what the search found."""
        if self._list.marked is not None:
            self._open(self._list.marked)

    def _end_search(self) -> None:
        if self.mode == "edit":
            self.remove_class("-searching")
            self.mode = "command"
            self.query("SearchInput").remove()
            self.refresh_course()

    def action_leave_search(self) -> None:
        """All sections again."""
        self._end_search()
