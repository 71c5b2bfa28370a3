"""Commands without a screen; each drives the same Session as the app."""
