"""The hot path: a reverse proxy in a process of its own that copies bytes, and offers what it saw
to the tap.

It never waits for the rest of the house and never decodes a body. It imports the standard library,
uvloop,
`monitor.errors`, `monitor.records.exchange` and `monitor.records.framing`, and nothing else.
"""
