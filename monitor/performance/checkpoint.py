"""A checkpoint: all that was counted of labels and segments as small documents, one for each pane.

What is counted adds up, so the last checkpoint and what the store's journal tells since are the
whole, each label once. A pane is written again only where it changed. Knows no store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.performance.desk import PerformanceDesk
from monitor.performance.kept import KINDS, SEGMENTED, Counted
from monitor.performance.label_drift import LabelDrift
from monitor.performance.segments import Segment
from monitor.statistics.classes import TASKS
from monitor.windows import Window

PREFIX = "counted "
_HEADER = f"{PREFIX}all"
_FORMAT = 1
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)

Json = dict[str, Any]
Place = tuple[float, int]  # seconds of a pane, and its key


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint as it was read: its header, and its panes."""

    header: Mapping[str, Any]
    panes: tuple[Mapping[str, Any], ...]

    @property
    def basis(self) -> Mapping[str, Any]:
        """What its counts rest on."""
        basis: Mapping[str, Any] = self.header["basis"]
        return basis


def counted(
    model: tuple[str, str], desk: PerformanceDesk, labels: LabelDrift | None, digest: str
) -> Counted:
    """A desk's counts, with what they rest on: other counts do not add up with them."""
    basis = {
        "window": [*model, desk.predicted.pane_count, desk.predicted.pane_seconds],
        "segments": [list(desk.rules.segments), desk.rules.segment_values],
        "task": desk.task,
        "reference": digest,
    }
    return Counted(desk, labels, basis)


class Checkpoints:
    """Writes checkpoints, each time only the panes that changed since the last one."""

    def __init__(self) -> None:
        self._saved: dict[Place, tuple[object, ...]] = {}
        self._basis: Mapping[str, Any] | None = None

    def documents(self, now: Counted) -> dict[str, Json]:
        """The documents that make a whole checkpoint of those that were given before."""
        now.desk.settle()
        if self._basis != now.basis:
            self.forget()
        parts = _by_place(now)
        sums = {place: tuple(part[2] for part in held) for place, held in parts.items()}
        changed = [place for place, held in sums.items() if not _same(self._saved.get(place), held)]
        self._saved, self._basis = sums, now.basis
        found = {_key(place, now): _pane(place, parts[place]) for place in changed}
        return found | {_HEADER: _header(now, sorted(parts))}

    def forget(self) -> None:
        """Write every pane anew: what was given last was not kept, or is of other counts."""
        self._saved = {}


def read(documents: Mapping[str, Any]) -> Kept | None:
    """The checkpoint that these documents are, or None."""
    try:
        header = documents[_HEADER]
        if header["format"] != _FORMAT:
            return None
        by_place = {
            (document["seconds"], document["pane"]): document
            for key, document in documents.items()
            if key != _HEADER
        }
        return Kept(header, tuple(by_place[seconds, pane] for seconds, pane in header["panes"]))
    except _UNREADABLE:
        return None


def is_whole(kept: Kept, now: Counted) -> bool:
    """Whether labels can go on from there; else they are counted anew, from the rows."""
    task = now.basis["task"] or kept.basis.get("task")
    return task is not None and kept.basis == {**now.basis, "task": task}


def take_up(kept: Kept, now: Counted, *, labels: bool) -> int:
    """Add a checkpoint to what is counted, without labels where these come from the rows; how many
    panes. ValueError where it is damaged.
    """
    try:
        _take_up_header(kept, now, labels=labels)
        panes = [
            one
            for document in kept.panes
            for part in document["parts"]
            if (one := _read_part(int(document["pane"]), part, kept, now, labels=labels))
        ]
    except _UNREADABLE as error:
        raise ValueError(f"not what was counted: {error!r}") from None
    for window, pane, value in panes:  # all of them can be read
        window.restore(pane, value)
    return len(kept.panes)


def _take_up_header(kept: Kept, now: Counted, *, labels: bool) -> None:
    desk, basis = now.desk, kept.basis
    if basis["window"] != now.basis["window"]:
        return
    desk.watch.restore(kept.header["watch"])
    if _equal({"segments", "reference"}, kept, now):
        desk.segments.restore(kept.header["segments"])
    if labels and desk.task is None and (task := TASKS.get(basis["task"])):
        desk.know(task)
    if labels and desk.stream is not None and kept.header["stream"] is not None:
        desk.stream.restore(kept.header["stream"])


def _read_part(
    pane: int, part: Sequence[Any], kept: Kept, now: Counted, *, labels: bool
) -> tuple[Window[Any], int, Any] | None:
    """One window's part of a pane, and where it belongs; None where it does not fit any more."""
    name, segment, body = part
    kind = KINDS[name]
    rests_on = kind.rests_on | (SEGMENTED if segment else set())
    if (kind.of_labels and not labels) or not (kind.of_labels or _equal(rests_on, kept, now)):
        return None
    window = kind.window(now, Segment(*segment) if segment else None)
    return None if window is None else (window, pane, kind.read(now, body))


def _equal(parts: Collection[str], kept: Kept, now: Counted) -> bool:
    return all(kept.basis[part] == now.basis[part] for part in parts)


def _by_place(now: Counted) -> dict[Place, list[tuple[str, Segment | None, object]]]:
    found: dict[Place, list[tuple[str, Segment | None, object]]] = {}
    for name, kind in KINDS.items():
        for segment, window in kind.windows(now):
            for key, value in window.panes().items():
                found.setdefault((window.pane_seconds, key), []).append((name, segment, value))
    return found


def _pane(place: Place, held: list[tuple[str, Segment | None, object]]) -> Json:
    seconds, pane = place
    return {
        "seconds": seconds,
        "pane": pane,
        "parts": [
            [name, list(segment or ()), KINDS[name].render(value)] for name, segment, value in held
        ],
    }


def _header(now: Counted, places: list[Place]) -> Json:
    desk = now.desk
    return {
        "format": _FORMAT,
        "basis": now.basis,
        "panes": [list(place) for place in places],
        "segments": desk.segments.to_document(),
        "watch": desk.watch.to_document(),
        "stream": desk.stream.to_document() if desk.stream is not None else None,
    }


def _key(place: Place, now: Counted) -> str:
    """Panes share so many slots that no two that a window may hold have the same one."""
    seconds, pane = place
    window: Window[int] = now.desk.predicted
    slots = 2 * round(window.pane_count * window.pane_seconds / seconds) + 2
    return f"{PREFIX}{seconds:g} {pane % slots}"


def _same(before: tuple[object, ...] | None, now: tuple[object, ...]) -> bool:
    return (
        before is not None
        and len(before) == len(now)
        and all(one is other for one, other in zip(before, now, strict=True))
    )
