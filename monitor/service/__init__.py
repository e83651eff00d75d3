"""Composition root and supervisor: the only room that holds the whole configuration.

`launch` checks everything and becomes `supervisor`, which runs relay workers and `monitoring`.
"""
