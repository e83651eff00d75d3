"""A window's panes as small documents, so that a restart goes on with the same window.

Counts add up, so a saved pane and what came after it make the whole. One document a pane, in as
many slots as the window has panes: a slot's newest pane is the one that counts. Knows no store.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.profile.counts import Counts
from monitor.profile.unseen import UnseenNames
from monitor.windows import Window

PREFIX = "pane "
_FASTEST = 1  # most cells are 0 or small: the first level leaves a tenth

Document = dict[str, Any]


class PaneDocuments:
    """The documents of one window over one reference, whose bins they are meant for."""

    def __init__(self, digest: str, counts: Window[Counts], unseen: Window[UnseenNames]) -> None:
        self._digest = digest
        self._counts = counts
        self._unseen = unseen
        self._saved: dict[int, Counts] = {}

    def changed(self) -> dict[str, Document]:
        """By key, the documents of panes that changed since the last call."""
        panes, names = self._counts.panes(), self._unseen.panes()
        changed = {key: pane for key, pane in panes.items() if self._saved.get(key) is not pane}
        self._saved = panes
        return {
            f"{PREFIX}{key % self._slots}": self._document(key, pane, names.get(key))
            for key, pane in sorted(changed.items())
        }

    def restore(self, documents: Mapping[str, object]) -> int:
        """Take up what an earlier process saved; how many rows that were."""
        rows = 0
        for document in documents.values():
            pane = self._read(document)
            if pane is None:
                continue
            key, counts, names = pane
            self._counts.restore(key, counts)
            self._unseen.restore(key, names)
            rows += counts.rows
        self._saved = self._counts.panes()
        return rows

    @property
    def _slots(self) -> int:
        return self._counts.pane_count + 1

    def _document(self, key: int, pane: Counts, names: UnseenNames | None) -> Document:
        return {
            "reference": self._digest,
            "pane_seconds": self._counts.pane_seconds,
            "pane": key,
            "rows": pane.rows,
            "cells": _packed(pane.cells),
            "moments": _packed(pane.moments),
            "unseen": [[*of, list(told)] for of, told in names.names.items()] if names else [],
        }

    def _read(self, document: object) -> tuple[int, Counts, UnseenNames] | None:
        """A document's pane; None for one of another reference or size, or none at all."""
        if not isinstance(document, dict):
            return None
        of = (document.get("reference"), document.get("pane_seconds"))
        if of != (self._digest, self._counts.pane_seconds):
            return None
        like = self._counts.identity
        try:
            counts = Counts(
                int(document["rows"]),
                _unpacked(document["cells"], like.cells),
                _unpacked(document["moments"], like.moments),
            )
            names = {(column, role): tuple(told) for column, role, told in document["unseen"]}
            return int(document["pane"]), counts, UnseenNames(names)
        except (KeyError, TypeError, ValueError, zlib.error, binascii.Error):
            return None


def _packed(array: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(array.tobytes(), _FASTEST)).decode()


def _unpacked(text: str, like: NDArray[Any]) -> NDArray[Any]:
    flat = np.frombuffer(zlib.decompress(base64.b64decode(text)), like.dtype)
    return flat.reshape(like.shape).copy()
