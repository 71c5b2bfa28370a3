"""HomeScreen: the 18 sections and how far the learner is in each."""

from tutor.lesson.course import Course
from tutor.progress import Progress
from tutor.ui.screens.frame import FrameScreen, bindings


class HomeScreen(FrameScreen[None]):
    """Where the tutor begins."""

    PLACE = "home"
    BINDINGS = bindings("home")

    def __init__(self, course: Course, progress: Progress) -> None:
        super().__init__()
        self.course = course
        self.progress = progress
