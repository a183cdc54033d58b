"""Drafting: may we, what did the model say, and what of it may a reader see."""
