"""Two files compared, and a log replayed: time and memory, beside the peers."""
