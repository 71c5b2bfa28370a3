"""Recorded computational graphs: the trace, the cursor over it, its drawing. Pure."""
