"""The fuzzer runs in an environment of its own."""

collect_ignore = ["decode.py"]
