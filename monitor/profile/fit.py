"""From what was surveyed of the reference to the columns that will be counted: kinds, cells, and
what is derived.

Nothing is counted here, but for columns whose derivation was itself fitted (principal axes, the
projection of all features): rows that a derivation was fitted to suit it better than the next ones
will, so a half of the sampled rows fits it and the other half says what to expect of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitor.profile import projection
from monitor.profile.column import ColumnProfile
from monitor.profile.counts import Counts
from monitor.profile.derived import moments, texts, vectors
from monitor.profile.derived.derivation import Derivation
from monitor.profile.edges import numeric_grid
from monitor.profile.expectation import choose, expected_cells
from monitor.profile.grid import BooleanGrid, CategoryGrid, PresenceGrid
from monitor.profile.layout import Layout
from monitor.profile.sample import Sampled
from monitor.profile.survey import Survey
from monitor.profile.values import Values
from monitor.schema import PROBABILITY_PREFIX, Column, Kind, Role

Key = tuple[str, str]
Codes = NDArray[np.int64]
Surveys = Mapping[Key, Survey]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MULTIVARIATE = "multivariate"
ERROR = "reconstruction_error"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The columns, nothing counted yet; and rows that no derivation was fitted to."""

    profiles: list[ColumnProfile]
    surveys: Surveys
    held_out: Sampled
    by_half: frozenset[Key]  # columns whose counts are those of `held_out`


def fit(surveys: Surveys, sampled: Sampled, task: str | None, categories: int) -> Fitted:
    """Every column of the reference, and those derived of them."""
    one, other = sampled.halves()
    plain = [_profile(key, survey, task, categories) for key, survey in surveys.items()]
    taken = set(surveys)
    found = dict(surveys)
    profiles: list[ColumnProfile] = []
    by_half: set[Key] = set()
    for profile in plain:
        key = profile.column.key
        fit_to = _FITS.get(profile.column.kind)
        if fit_to is None or key not in sampled.columns:
            profiles.append(profile)
            continue
        halved = profile.column.kind is Kind.VECTOR
        derivation = fit_to(one if halved else sampled, key, surveys[key])
        profiles.append(replace(profile, derivation=derivation))
        made = _derived(profile.column, derivation, other if halved else sampled, taken)
        found |= {part.column.key: survey for part, survey in made}
        profiles += [part for part, _ in made]
        by_half |= {part.column.key for part, _ in made if halved}
    if together := _together(profiles, one, other, taken):
        profiles.append(together)
        by_half.add(together.column.key)
    return Fitted(profiles, found, other, frozenset(by_half))


def filled(fitted: Fitted, layout: Layout, total: Counts) -> list[ColumnProfile]:
    """The columns with what the reference has in their cells."""
    held = None
    if fitted.by_half:
        held = count(layout, fitted.held_out)
    done = []
    for i, profile in enumerate(fitted.profiles):
        part = layout.cell_slice(i)
        key = profile.column.key
        if held is not None and key in fitted.by_half and held.rows:
            cells = _as_many(held.cells[part], total.rows)
            sums = held.moments[i] * (total.rows / held.rows)
            first, second, third = sums.tolist()
            weight = min(held.rows / total.rows, 1.0)
            done.append(
                replace(profile, cells=cells, moments=(first, second, third), weight=weight)
            )
            continue
        first, second, third = total.moments[i].tolist()
        cells = total.cells[part].copy()
        if isinstance(profile.grid, CategoryGrid):
            survey = fitted.surveys[key]
            cells, weight = expected_cells(profile.grid, survey.categories, survey.half, cells)
            done.append(replace(profile, cells=cells, weight=weight))
        else:
            done.append(replace(profile, cells=cells, moments=(first, second, third)))
    return done


def count(layout: Layout, sampled: Sampled) -> Counts:
    """Sampled rows as counts."""
    by_role: dict[str, dict[str, Values]] = {role.value: {} for role in Role}
    for (name, role), values in sampled.columns.items():
        by_role[role][name] = values
    outputs = by_role[Role.PREDICTION.value]  # probabilities among them bear their prefix already
    return layout.count(by_role[Role.FEATURE.value], outputs, at=sampled.at).counts


def _as_many(cells: Codes, rows: int) -> Codes:
    """The same shares of `rows` rows, rounded so that nothing is lost."""
    exact = cells * (rows / max(int(cells.sum()), 1))
    whole: Codes = np.floor(exact).astype(np.int64)
    largest = np.argsort(whole - exact, kind="stable")[: rows - int(whole.sum())]
    whole[largest] += 1
    return whole


def _profile(key: Key, survey: Survey, task: str | None, categories: int) -> ColumnProfile:
    """The column's kind and cells, nothing counted yet."""
    name, role = key
    kind = survey.kind
    is_class = role != Role.FEATURE.value and not name.startswith(PROBABILITY_PREFIX)
    if is_class and kind is Kind.NUMERIC and task in ("binary", "multiclass") and survey.integer:
        kind = Kind.CATEGORICAL
    if role != Role.FEATURE.value and kind in TAKEN_APART:
        kind = Kind.CATEGORICAL  # what a model answers is not taken apart
    return _PROFILE[kind](Column(name, Role(role), kind), survey, categories)


def _numeric(column: Column, survey: Survey, _: int) -> ColumnProfile:
    low, high = float(survey.minimum), float(survey.maximum)
    column = replace(column, integer=survey.integer, minimum=low, maximum=high)
    sample = survey.sample
    found = np.quantile(sample, QUANTILES, method="lower").tolist()
    quantiles = dict(zip(map(str, QUANTILES), found, strict=True))
    grid = numeric_grid(sample)
    return ColumnProfile(
        column, grid, np.zeros(grid.value_cells + 2, np.int64), quantiles=quantiles
    )


def _categorical(column: Column, survey: Survey, categories: int) -> ColumnProfile:
    grid = choose(survey.categories, survey.half, categories)
    column = replace(column, categories=grid.categories)
    cells = np.zeros(grid.value_cells + 2, np.int64)
    return ColumnProfile(column, grid, cells, distinct=survey.distinct)


def _boolean(column: Column, _: Survey, __: int) -> ColumnProfile:
    return ColumnProfile(column, BooleanGrid(), np.zeros(4, np.int64))


def _presence(column: Column, _: Survey, __: int) -> ColumnProfile:
    return ColumnProfile(column, PresenceGrid(), np.zeros(3, np.int64))


_PROFILE: Mapping[Kind, Callable[[Column, Survey, int], ColumnProfile]] = {
    Kind.NUMERIC: _numeric,
    Kind.CATEGORICAL: _categorical,
    Kind.BOOLEAN: _boolean,
    Kind.TEXT: _presence,
    Kind.DATETIME: _presence,
    Kind.VECTOR: _presence,
}


def _fit_texts(sampled: Sampled, key: Key, _: Survey) -> Derivation:
    return texts.fit(list(sampled.columns[key]))


def _fit_moments(sampled: Sampled, key: Key, _: Survey) -> Derivation:
    return moments.fit(sampled.columns[key], sampled.at)


def _fit_vectors(sampled: Sampled, key: Key, survey: Survey) -> Derivation:
    return vectors.fit(sampled.columns[key], survey.width)


_FITS: Mapping[Kind, Callable[[Sampled, Key, Survey], Derivation]] = {
    Kind.TEXT: _fit_texts,
    Kind.DATETIME: _fit_moments,
    Kind.VECTOR: _fit_vectors,
}


TAKEN_APART = frozenset(_FITS)


def _derived(
    column: Column, derivation: Derivation, sampled: Sampled, taken: set[Key]
) -> list[tuple[ColumnProfile, Survey]]:
    """The columns made of one, from rows that stand for the reference."""
    keys = np.random.default_rng(0).random(len(sampled))
    found = []
    parts = derivation.derive(sampled.columns[column.key], sampled.at).parts
    for part, values in parts.items():
        survey = Survey()
        survey.look(values, keys)
        kind = survey.kind
        if survey.numbers or survey.texts:
            name = _free(f"{column.name}.{part}", column.role, taken)
            made = Column(name, column.role, kind, source=column.name, part=part)
            found.append((_PROFILE[kind](made, survey, len(values)), survey))
    return found


def _together(
    profiles: list[ColumnProfile], one: Sampled, other: Sampled, taken: set[Key]
) -> ColumnProfile | None:
    """The column of all features together; None where there are too few of them, or of rows."""
    features = {
        profile.column.name: profile
        for profile in profiles
        if profile.column.role is Role.FEATURE
        and not profile.column.part
        and not isinstance(profile.grid, PresenceGrid)
        and profile.column.key in one.columns
    }
    layout = Layout(list(features.values()))
    names = list(features)
    codes = _codes(layout, one)
    found = projection.fit(
        {name: features[name].grid for name in names},
        {names[i]: column for i, column in codes.items()},
    )
    if found is None:
        return None
    name = _free(MULTIVARIATE, Role.FEATURE, taken)
    column = Column(name, Role.FEATURE, Kind.NUMERIC, part=ERROR)
    empty = numeric_grid(np.zeros(0))
    trial = ColumnProfile(
        column, empty, np.zeros(empty.value_cells + 2, np.int64), projection=found
    )
    whole = Layout([*features.values(), trial])
    errors = found.errors(whole.scores(_codes(layout, other), len(other)))
    survey = Survey()
    survey.look(errors, np.random.default_rng(0).random(len(errors)))
    return replace(_numeric(column, survey, 0), projection=found)


def _codes(layout: Layout, sampled: Sampled) -> dict[int, Codes]:
    rows = len(sampled)
    return layout.codes(sampled.columns, rows, sampled.at, np.zeros((len(layout.columns), 3)))


def _free(name: str, role: Role, taken: set[Key]) -> str:
    """The name, with as many underscores behind it as make it new."""
    while (name, role.value) in taken:
        name += "_"
    taken.add((name, role.value))
    return name
