"""One wire format a file; `table` chooses among them."""
