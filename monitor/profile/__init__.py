"""Mergeable summaries of columns, and the reference: how rows become counts over fixed cells."""
