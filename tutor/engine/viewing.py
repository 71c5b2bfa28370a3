"""Call "view": what can be seen of a race that is kept, at any iteration."""

from tutor.engine import train, views
from tutor.training.views import View, ViewRequest


def view(request: ViewRequest) -> View:
    """Raises TutorError where the race is not kept any more, or has no such view."""
    seen = train.seen(request.race, request.run, request.iteration)
    return views.answer(request, seen)
