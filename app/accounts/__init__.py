"""Who is who: passwords, sessions, service tokens."""
