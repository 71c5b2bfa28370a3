"""Pictures of what a run does: pure functions from a view of it to lines of text."""
