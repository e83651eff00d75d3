"""What a store is told once, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Whose predictions these are, what of them is kept, for how long, and how much."""

    model: str = "model"
    version: str = "1"
    segments: tuple[str, ...] = ()  # columns whose values are kept beside each prediction
    label_ttl_seconds: float = 30 * 86400.0
    max_parked: int = 1_000_000  # labels that wait for their predictions
    max_bytes: int = 10 << 30  # beyond, the oldest predictions go before their time
