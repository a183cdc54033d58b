"""Measurements against other receivers; run by hand or by `make bench`, not by the tests."""
