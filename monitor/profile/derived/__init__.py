"""Columns that are made of others: what can be counted of texts, moments and vectors."""
