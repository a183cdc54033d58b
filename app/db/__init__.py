"""The only truth (LAW 1): tables, the unit of work, jobs, audit trail, outbox."""
