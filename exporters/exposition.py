"""Families of series as classic Prometheus text or OpenMetrics 1.0, and which of them to send.

Writes what prometheus_client writes, byte for byte, in a fraction of its time: the text of a label
set is kept from scrape to scrape. Knows nothing of the Snapshot.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import utils

from exporters.catalog import Kind, Metric
from exporters.sample import Labels
from exporters.series import Selection

MAX_LABEL_BYTES = (
    128  # a longer value names nothing better, and is held by every server for every series
)
_written_value: Callable[[float], str] = utils.floatToGoString  # which is untyped
_KEPT_LABEL_SETS = 200_000
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")  # a NUL ends Prometheus' own lexer; LF is escaped
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True)
class Format:
    """One text format: its content type, and how a family is opened in it."""

    content_type: str
    open_metrics: bool


TEXT = Format("text/plain; version=0.0.4; charset=utf-8", open_metrics=False)
OPEN_METRICS = Format(
    "application/openmetrics-text; version=1.0.0; charset=utf-8", open_metrics=True
)


def negotiate(accept: str) -> Format:
    """The format for an Accept header: OpenMetrics where it is liked no less than plain text.

    >>>
    negotiate("application/openmetrics-text;version=1.0.0,text/plain;q=0.5").open_metrics
    True
    >>> negotiate("text/html, */*").open_metrics
    False
    """
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        if media in weights:
            weights[media] = max(weights[media], _weight(parameters))
    asked = weights["application/openmetrics-text"]
    return OPEN_METRICS if asked > 0 and asked >= weights["text/plain"] else TEXT


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            matched = re.fullmatch(r"[01](?:\.\d{0,3})?", value.strip())
            return float(matched[0]) if matched else 0.0
    return 1.0


def label_value(text: str) -> str:
    """A label's value as every parser can hold it: UTF-8, no controls, at most 128 bytes.

    What is cut is told apart by a checksum, so that two long names stay two series.

    >>> label_value("a" * 200)[-12:], label_value("nul" + chr(0))
    ('aaa~599af058', 'nul\\\\x00')
    """
    cleaned = _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", text)
    encoded = cleaned.encode("utf-8", "backslashreplace")
    if len(encoded) <= MAX_LABEL_BYTES:
        return encoded.decode()
    checksum = f"~{zlib.crc32(encoded):08x}"
    return encoded[: MAX_LABEL_BYTES - len(checksum)].decode("utf-8", "ignore") + checksum


class Writer:
    """Writes selections; one writer serves one exporter, and is not shared between threads."""

    def __init__(self) -> None:
        self._written: dict[tuple[Labels, Labels], str] = {}

    def write(self, selection: Selection, format_: Format) -> bytes:
        """The whole answer to a scrape."""
        if len(self._written) > _KEPT_LABEL_SETS:
            self._written.clear()
        lines: list[str] = []
        for family in selection.families:
            lines.extend(_head(family.metric, format_))
            name = family.metric.family
            labels = self._labels
            common = selection.common
            lines.extend(
                f"{name}{one.suffix}{labels(common, one.labels)} {_written_value(one.value)}\n"
                for one in family.series
            )
        if format_.open_metrics:
            lines.append("# EOF\n")
        return "".join(lines).encode()

    def _labels(self, common: Labels, own: Labels) -> str:
        key = (common, own)
        text = self._written.get(key)
        if text is None:
            pairs = sorted(common + own)
            inner = ",".join(f'{k}="{label_value(v).translate(_ESCAPES)}"' for k, v in pairs)
            text = self._written[key] = f"{{{inner}}}"
        return text


def _head(metric: Metric, format_: Format) -> list[str]:
    if format_.open_metrics:
        help_ = metric.help.translate(_ESCAPES)
        name, kind = metric.family, metric.kind.value
    else:
        help_ = metric.help.replace("\\", r"\\").replace("\n", r"\n")
        name = metric.full_name
        kind = Kind.GAUGE.value if metric.kind is Kind.INFO else metric.kind.value
    head = [f"# HELP {name} {help_}\n", f"# TYPE {name} {kind}\n"]
    if format_.open_metrics and metric.unit:
        head.append(f"# UNIT {name} {metric.unit}\n")
    return head
