"""The real servers and tools that the tests talk to: started on free ports, stopped afterwards."""
