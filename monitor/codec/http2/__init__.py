"""HTTP/2 as it was tunnelled, put together again: frames in, exchanges out; no I/O."""
