"""What Sidelight tells the outside: metrics for Prometheus, alerts for webhooks."""
