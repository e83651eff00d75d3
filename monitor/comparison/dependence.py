"""All columns together, where the reference is a file of counts: do they depend on each other as in
the reference?

The reference keeps its principal axes and the correlations of its columns. Some rows of the current
file are measured by them as the live sidecar measures its window, and read by the same judge.
"""

from __future__ import annotations

from monitor.alerting.policy import Judge
from monitor.comparison.choice import part_of
from monitor.comparison.together import Floats, Pool, is_plain, names_of
from monitor.comparison.verdict import Rule, Standard, Together
from monitor.profile.column import ColumnProfile
from monitor.profile.grid import NumericGrid
from monitor.profile.reference import Reference
from monitor.schema import Role
from monitor.snapshot import Status

NO_AXES = "the reference has too few rows or columns to know how they depend on each other"
MOST_NAMED = 5


def axis_columns(reference: Reference) -> tuple[str, ...]:
    """The columns that the reference's axes are made of."""
    found = _profiles(reference)
    return tuple(one.column.name for one in found[:-1])


def depend(reference: Reference, current: Pool, rule: Rule) -> Together:
    """Whether the columns depend on each other in another way than in the reference."""
    profiles = _profiles(reference)
    if not profiles:
        return Together(Status.INSUFFICIENT, reason=NO_AXES)
    *features, together = profiles
    lacking = [p.column.name for p in features if not is_plain(p.column.key, p.grid, current)]
    if lacking:
        named = ", ".join(lacking[:MOST_NAMED])
        return Together(Status.INSUFFICIENT, reason=f"not in the file as in the reference: {named}")
    layout, before = part_of(reference, profiles)
    counted = layout.count(_rows(features, current), {})
    readings = Judge(Standard(layout, before)).readings(
        counted.counts, rule.policy, counted.details
    )
    found = next(one for one in readings if one.column == together.column.name)
    return Together(
        Status.DRIFT if found.status is Status.WARNING else found.status,
        found.rows,
        p_value=found.p_value,
        threshold=found.threshold,
        reason="" if found.score is not None else f"fewer than {rule.min_rows} rows",
        score=found.score,
        explanation=found.explanation,
    )


def _profiles(reference: Reference) -> list[ColumnProfile]:
    """The columns that the axes are made of, and the one that is made of them; none without."""
    together = next((one for one in reference.columns if one.projection is not None), None)
    if together is None or together.projection is None:
        return []
    known = {one.column.name: one for one in reference.columns if one.column.role is Role.FEATURE}
    return [*(known[name] for name in together.projection.columns), together]


def _rows(features: list[ColumnProfile], current: Pool) -> dict[str, Floats | list[object]]:
    """Sampled rows in column form."""
    numeric = [one.column for one in features if isinstance(one.grid, NumericGrid)]
    others = [one.column for one in features if not isinstance(one.grid, NumericGrid)]
    named = names_of(current, [current.columns[one.key] for one in others])
    return {one.name: current.numbers[current.columns[one.key]] for one in numeric} | {
        one.name: named[current.columns[one.key]] for one in others
    }
