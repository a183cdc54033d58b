"""When is a study complete: when it has been still for the quiet period."""
