"""Pure functions over counts and sums: no I/O, no clock, no randomness of their own."""
