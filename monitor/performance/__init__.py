"""How right the predictions were: realised, by segment, and whether labels still come."""
