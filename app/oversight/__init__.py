"""What became of the drafts, in figures for the lead of the readers; persons are not told apart."""
