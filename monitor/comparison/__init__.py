"""Two files compared (`compare`), and a log replayed (`backtest`), by the engine that runs live."""
