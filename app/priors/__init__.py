"""Which earlier radiographs and reports a draft may compare with, and what became of each (LAW 4)."""
