"""Measurements of a trained checkpoint, computed from its drafted text."""
