"""Flights that left New York City in 2013: real data, a model of their delay, server, traffic."""
