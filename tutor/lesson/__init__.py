"""Lessons as data: the format, reading it, the course they make."""
