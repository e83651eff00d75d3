"""What the monitor's work costs: decoding and counting, a look at wide models, a scrape."""
