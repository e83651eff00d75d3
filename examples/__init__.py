"""One folder a model: each trains it, serves it, and replays real traffic to it."""
