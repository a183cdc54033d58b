"""The audit chain for those who look after it."""
