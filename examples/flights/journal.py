"""What a replay sent and was told: enough to compute with pandas what a monitor should say.

Knows flights, predictions and times; nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from examples.flights.data import TARGET

ROUNDING_SECONDS = 0.002  # moments over HTTP are told to the millisecond


@dataclass(frozen=True, slots=True)
class Answer:
    """The model's answer to one request: flights `first`, `first` + 1, … of the replay's table."""

    prediction_id: str
    first: int
    predictions: tuple[float, ...]
    answered_at: float  # seconds of the replay's clock


@dataclass(frozen=True, slots=True)
class LabelPost:
    """One accepted POST of labels, received between `began_at` and `ended_at` (Unix seconds)."""

    began_at: float
    ended_at: float
    answers: tuple[Answer, ...]


@dataclass(slots=True)
class Journal:
    """Everything that came back, in order."""

    answers: list[Answer] = field(default_factory=list)
    posts: list[LabelPost] = field(default_factory=list)

    @property
    def labelled_rows(self) -> int:
        """Flights whose arrival was posted."""
        return sum(len(answer.predictions) for post in self.posts for answer in post.answers)

    def posts_since(self, start: float) -> list[LabelPost] | None:
        """The posts received from `start` on (Unix seconds); None where `start` falls into one.

        >>> early, late = LabelPost(1.0, 2.0, ()), LabelPost(4.0, 5.0, ())
        >>> journal = Journal(posts=[early, late])
        >>> journal.posts_since(3.0) == [late], journal.posts_since(4.5)
        (True, None)
        """
        before, after = start - ROUNDING_SECONDS, start + ROUNDING_SECONDS
        if any(post.began_at < after and post.ended_at >= before for post in self.posts):
            return None
        return [post for post in self.posts if post.began_at >= after]


def joined_table(posts: Sequence[LabelPost], flights: pd.DataFrame) -> pd.DataFrame:
    """`prediction` beside TARGET for each labelled flight, one row a flight."""
    answers = [answer for post in posts for answer in post.answers]
    rows = [np.arange(answer.first, answer.first + len(answer.predictions)) for answer in answers]
    joined = flights.iloc[np.concatenate(rows) if rows else []]
    predictions = [value for answer in answers for value in answer.predictions]
    return joined[[TARGET]].assign(prediction=predictions)
