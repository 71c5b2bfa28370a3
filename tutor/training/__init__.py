"""Training races as data: specs, runs, points. Pure."""
