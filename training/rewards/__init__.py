"""Rewards: pure judgements of a generated report. One reward per file, `mix.py` combines, `catalogue.py` names."""
