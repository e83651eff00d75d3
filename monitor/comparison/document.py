"""A comparison as JSON-able values: the shape that scripts rest on (docs/compare.md); pure."""

from __future__ import annotations

from typing import Any

from monitor.comparison.verdict import Comparison, Side, Together
from monitor.snapshot import Reading

VERSION = 1


def document(found: Comparison) -> dict[str, Any]:
    """Everything that a comparison says; what is not known is null."""
    return {
        "sidelight_comparison": VERSION,
        "drift": found.drift,
        "reference": _side(found.reference),
        "current": _side(found.current),
        "rule": {
            "fdr": found.rule.fdr,
            "min_effect": found.rule.min_effect,
            "min_rows": found.rule.min_rows,
        },
        "columns": [_reading(one) for one in found.readings],
        "absent": list(found.absent),
        "unexpected": list(found.unexpected),
        "left_out": list(found.left_out),
        "together": _together(found.together),
    }


def _side(side: Side) -> dict[str, Any]:
    return {"file": str(side.path), "rows": side.rows, "digest": side.digest or None}


def _reading(one: Reading) -> dict[str, Any]:
    return {
        "column": one.column,
        "role": one.role,
        "kind": one.kind,
        "status": one.status.value,
        "method": one.method,
        "score": one.score,
        "threshold": one.threshold,
        "p_value": one.p_value,
        "scores": dict(one.scores),
        "rows": one.rows,
        "missing_ratio": one.missing_ratio,
        "reference_missing_ratio": one.reference_missing_ratio,
        "mean": one.mean,
        "reference_mean": one.reference_mean,
        "stddev": one.stddev,
        "reference_stddev": one.reference_stddev,
        "explanation": one.explanation,
        "quality": list(one.quality),
        "bins": [
            {"bin": part.bin, "reference": part.reference, "current": part.current}
            for part in one.bins
        ],
    }


def _together(one: Together) -> dict[str, Any]:
    return {
        "status": one.status.value,
        "rows": one.rows,
        "auc": one.auc,
        "score": one.score,
        "p_value": one.p_value,
        "threshold": one.threshold,
        "columns": [{"column": name, "importance": lost} for name, lost in one.columns],
        "explanation": one.explanation,
        "reason": one.reason or None,
    }
