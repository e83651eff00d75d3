"""What every store promises: predictions and late labels joined, once, whatever the order they come
in.

Knows no database and no thread: all calls block, and come from one thread.

The join, for each (prediction id, row):

- One prediction: the first. A second one is a conflict, counted and dropped.
- One label: that of the newest `observed_at`. On a tie the last to arrive, unless that very value
  at that
  very time is already known, which is a retry. A replaced or late older value goes into the
  history.
- What a label's outcome says is what it changed: `joined` or `pending` (it is the first of its
  row),
  `corrected` (it replaced another value), `duplicate` (the value that counts stays as it was: a
  retry, or a value older than the one that counts), `expired` (its prediction was forgotten),
  `rejected`.
- A prediction may have other names (`Batch.aliases`). Whatever comes under one means the
  prediction, unless one has it for its id, or several predictions have the name: then a label is
  rejected. A label joins by what its id means when it comes, or when its prediction lands.
- Several sources may say the same: each one's word is kept, so that revoking a source brings back
  what
  the others said.
- A deleted id is gone with all its labels, and stays so: what comes for it later, prediction or
  label, is
  dropped, for as long again as it would have been kept.
- A label without a prediction is parked, bounded in count; it joins when the prediction lands, and
  is
  orphaned when its time is up. A forgotten prediction leaves a mark of a few bytes for as long
  again as it was kept, so that a late label is told from an early one; after that it is parked like
  any unknown id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome, Prediction

DEFAULT_RESTORED_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Remembered:
    """What new predictions gave: labels that had waited for them, and rows whose id was taken."""

    joined: tuple[Joined, ...] = ()
    conflicts: int = 0
    erased: int = 0  # rows of ids that were deleted on request, and so were not kept


@dataclass(frozen=True, slots=True)
class JoinReport:
    """What became of posted labels, one outcome each, in the order given."""

    outcomes: tuple[Outcome, ...] = ()
    joined: tuple[Joined, ...] = ()  # first joins, and corrections with what they replaced
    rejected: Mapping[int, str] = field(default_factory=dict)  # index → what is wrong with it

    def count(self, outcome: Outcome) -> int:
        """How many labels had this outcome."""
        return self.outcomes.count(outcome)


@dataclass(frozen=True, slots=True)
class Expired:
    """What one step of forgetting removed; `more` asks for another step, `over` for one before
    much else is kept: there is less room than is taken.
    """

    predictions: int = 0
    orphaned: int = 0
    more: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Erased:
    """What deleting an id removed; `joined` takes its labels out of what was counted."""

    rows: int = 0
    labels: int = 0
    joined: tuple[Joined, ...] = ()
    ambiguous: bool = False  # the name is one of several predictions: nothing was deleted


@dataclass(frozen=True, slots=True)
class Revoked:
    """What one step of revoking a source took out; another step is due from `at` on, if any."""

    labels: int = 0
    joined: tuple[Joined, ...] = ()
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The last checkpoint, and the joins that it does not hold; None where only the rows know."""

    documents: Mapping[str, Any]
    joined: tuple[Joined, ...] | None


@dataclass(frozen=True, slots=True)
class Stored:
    """All that is known of one predicted row; a row of which only labels came has no prediction."""

    prediction: Prediction | None
    label: Label | None = None
    history: tuple[Label, ...] = ()  # labels that do not count, newest first


class Store(Protocol):
    """Every method raises StoreError and nothing else; after one the next call may succeed
    again.
    """

    @property
    def shared(self) -> bool:
        """Whether others write to it too, so that there may be news."""
        ...

    def remember(self, batches: Sequence[Batch]) -> Remembered:
        """Keep predictions; all of them or, on StoreError, none."""
        ...

    def join(self, labels: Sequence[Label]) -> JoinReport:
        """Keep labels, durable when this returns; all of them or, on StoreError, none."""
        ...

    def news(self) -> tuple[Joined, ...]:
        """What became known since the last call of this store's own predictions by another's hand.

        Each join is told once: by the call that made it, to an owner who made it, and here to an
        owner whose label was posted to another replica, or whose commit was in doubt.
        """
        ...

    def erase(self, prediction_id: str, now: float) -> Erased:
        """Delete all of an id, for good, durable when this returns."""
        ...

    def revoke(self, source: str, until: float, at: int = 0) -> Revoked:
        """Take out one step's worth of the labels of a source that were received by `until`."""
        ...

    def prediction(self, prediction_id: str) -> list[Stored]:
        """All rows of a request, by row; empty where the id is unknown."""
        ...

    def told(self) -> tuple[int, ...]:
        """The journal's entries of all joins that were told since the last call."""
        ...

    def checkpoint(self, documents: Mapping[str, object], entries: Sequence[int]) -> None:
        """Keep documents that hold what these entries of the journal said, in their place."""
        ...

    def resume(self, prefix: str) -> Resumed:
        """The checkpoint's documents, whose keys begin like this, and what came after it."""
        ...

    def joined_since(self, at: float, limit: int = DEFAULT_RESTORED_ROWS) -> Iterator[Joined]:
        """The newest `limit` joins that began to count at `at` or later, oldest first, as they are
        now: any thread may read them, at leisure, while others write.

        A join begins to count when both are there: at the later of prediction and first receipt of
        the value. All that is told later is not among them; until the next checkpoint the journal
        is a gap.
        """
        ...

    def expire(self, now: float) -> Expired:
        """Forget one small step's worth of what is too old at `now`."""
        ...

    def put_document(self, key: str, document: object) -> None:
        """Keep a small JSON document under a key, durable when this returns; None removes it."""
        ...

    def get_document(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """The document under a key, or None."""
        ...

    def documents(self, prefix: str) -> dict[str, Any]:
        """Every document whose key begins like this, by its key."""
        ...

    def rows(self) -> int:
        """Predictions kept."""
        ...

    def parked(self) -> int:
        """Labels that wait for their predictions."""
        ...

    def close(self) -> None:
        """Release everything; the store cannot be used again."""
        ...
