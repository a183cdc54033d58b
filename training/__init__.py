"""Training of the report-drafting checkpoints; never imported by the service."""
