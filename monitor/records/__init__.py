"""Frozen facts that pass between rooms: `Exchange` (bytes seen), `Batch` (rows decoded), `Label`.

Import them from their own files: the relay needs two of them, and must never load numpy.
"""
