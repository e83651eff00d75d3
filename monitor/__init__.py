"""Sidelight's core: relay, observer, engine, store and control API."""
