"""The same statistics as other tools define them, on raw samples: to move thresholds over, and to
check figures against theirs.

Sidelight decides by none of these: bins that stretch with the data let one outlier hide a change,
and a fixed threshold means something else at every number of rows (docs/statistics.md). `score`
holds the tables, `evidently` and `nannyml` one convention each, `samples` what both share. They
equal Evidently 0.7.23 and NannyML 0.13.1 to 1e-9 (`make parity`).
"""
