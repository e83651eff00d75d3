"""Predictions and late labels, kept and joined; whoever needs the store imports `writer`, and only
`service` a backend.
"""
