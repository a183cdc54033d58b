"""What stands behind the verbs of `unirg`."""
