"""Plain facts and rules of the reading path: standard library only."""
