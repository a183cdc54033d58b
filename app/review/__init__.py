"""Reading, reporting, signing: what a radiologist does with a study and its draft."""
