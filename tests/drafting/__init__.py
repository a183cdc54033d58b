"""Eligibility, guardrails, and the draft as it is stored."""
