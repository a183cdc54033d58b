"""Attacks from before and after the login; every one ends with another peer's C-ECHO."""
