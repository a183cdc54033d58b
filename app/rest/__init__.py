"""HTTP manners that every stage's routes share: problems, leave, limits, headers."""
