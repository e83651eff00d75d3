"""What the control API needs of the house behind it. The API knows the house by this alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitor.events import Event
from monitor.history import ScoreHistory
from monitor.records.label import Label, Outcome, Prediction
from monitor.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Who may write, and how much at once."""

    token: str | None = field(default=None, repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)  # by their holders' names
    loopback: bool = True  # only this machine reaches it, so only its own names are Host
    label_bytes: int = 16 << 20
    reference_bytes: int = 32 << 20
    event_bytes: int = 2 << 20
    labels_per_second: float = 10_000.0  # of one token, or client address, in the long run
    labels_burst: float = 100_000.0  # and at once


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What became of one label; `error` says why where it was rejected."""

    outcome: Outcome
    error: str = ""


@dataclass(frozen=True, slots=True)
class PredictedRow:
    """One predicted row, and its truth where that is known."""

    prediction: Prediction
    label: Label | None = None
    history: tuple[Label, ...] = ()  # what was said beside, newest first


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """What deleting a prediction removed."""

    rows: int = 0
    labels: int = 0
    ambiguous: bool = False  # it is the name of several predictions: nothing was removed


class House(Protocol):
    """Everything the API may ask for; nothing here blocks the event loop but `metrics`."""

    @property
    def control(self) -> ControlSettings:
        """The settings of the control port."""
        ...

    def snapshot(self) -> Snapshot:
        """The newest Snapshot: the same object until there is a newer one."""
        ...

    @property
    def history(self) -> ScoreHistory:
        """How each column's score went lately."""
        ...

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The body and content type of a scrape; called in a worker thread."""
        ...

    def observe_event(self, event: Event, now: float) -> str:
        """Take one half of a logged exchange; what became of it."""
        ...

    async def join(self, labels: Sequence[Label]) -> Sequence[LabelOutcome]:
        """One outcome a label, in order; durable on return. StoreError: none of them was taken."""
        ...

    def count_rejected(self, labels: int) -> None:
        """Count labels that were ill-formed and so never came to `join`."""
        ...

    async def prediction(self, prediction_id: str) -> Sequence[PredictedRow]:
        """The rows of one prediction in order, none where it is unknown; may raise StoreError."""
        ...

    async def erase(self, prediction_id: str) -> ErasedRows:
        """Delete all of an id, for good; durable on return. May raise StoreError."""
        ...

    async def revoke(self, source: str) -> int:
        """Take out all labels of a source; how many. After a StoreError some may be left."""
        ...

    async def ready(self) -> tuple[bool, str]:
        """Whether traffic can flow, and what is in its way."""
        ...

    async def reference(self) -> bytes | None:
        """The reference in use as JSON; None while it is still being learned."""
        ...

    async def replace_reference(self, document: bytes) -> None:
        """Use another reference; on ReferenceFileError or StoreError the old one stays."""
        ...
