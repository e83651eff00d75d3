"""What others draw and watch, as code: rules for Prometheus now, dashboards beside them."""
