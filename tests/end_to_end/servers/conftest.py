"""The programs run in the servers' own environments."""

collect_ignore = ["programs"]
