"""One module a screen; screens wire, widgets show."""
