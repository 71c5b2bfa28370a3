"""Races on disk: their points as they come, and where they stand, to go on later."""
