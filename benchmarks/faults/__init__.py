"""The faults that the relay must survive, each with what must hold while it lasts."""
