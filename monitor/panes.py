"""A window's panes as small documents, so that a restart goes on with the same window.

Counts add up, so a saved pane and what came after it make the whole. One document a pane, in as
many slots as the window has panes: a slot's newest pane is the one that counts. Knows no store.
"""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from monitor.profile.counts import Counts
from monitor.profile.detail_document import packed, read_details, render_details, unpacked
from monitor.profile.details import Details
from monitor.windows import Window

PREFIX = "pane "

Document = dict[str, Any]


class PaneDocuments:
    """The documents of one window over one reference, whose bins they are meant for."""

    def __init__(self, digest: str, counts: Window[Counts], details: Window[Details]) -> None:
        self._digest = digest
        self._counts = counts
        self._details = details
        self._saved: dict[int, Counts] = {}

    def changed(self) -> dict[str, Document]:
        """By key, the documents of panes that changed since the last call."""
        panes, details = self._counts.panes(), self._details.panes()
        changed = {key: pane for key, pane in panes.items() if self._saved.get(key) is not pane}
        self._saved = panes
        return {
            f"{PREFIX}{key % self._slots}": self._document(key, pane, details.get(key) or Details())
            for key, pane in sorted(changed.items())
        }

    def restore(self, documents: Mapping[str, object]) -> int:
        """Take up what an earlier process saved; how many rows that were."""
        rows = 0
        for document in documents.values():
            pane = self._read(document)
            if pane is None:
                continue
            key, counts, details = pane
            self._counts.restore(key, counts)
            self._details.restore(key, details)
            rows += counts.rows
        self._saved = self._counts.panes()
        return rows

    @property
    def _slots(self) -> int:
        return self._counts.pane_count + 1

    def _document(self, key: int, pane: Counts, details: Details) -> Document:
        return {
            "reference": self._digest,
            "pane_seconds": self._counts.pane_seconds,
            "pane": key,
            "rows": pane.rows,
            "cells": packed(pane.cells),
            "moments": packed(pane.moments),
            **render_details(details),
        }

    def _read(self, document: object) -> tuple[int, Counts, Details] | None:
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
                _like(document["cells"], like.cells),
                _like(document["moments"], like.moments),
            )
            return int(document["pane"]), counts, read_details(document)
        except (KeyError, TypeError, ValueError, zlib.error, binascii.Error):
            return None


def _like(text: str, like: NDArray[Any]) -> NDArray[Any]:
    return unpacked(text, like.dtype).reshape(like.shape)
