"""Our side of the outside world, against real servers and file systems."""
