"""Labels and predictions on their way into a store: how many a second, and none lost to SIGKILL."""
