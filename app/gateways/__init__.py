"""One module for each thing outside: each maps every foreign error to ours."""
