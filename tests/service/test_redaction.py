"""Columns that are never stored or shown: nothing behind the redaction ever has their values."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.codec import Decoder
from monitor.config import Config
from monitor.errors import ReferenceFileError
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference, render
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange
from monitor.service.redaction import check_reference, redacted
from monitor.service.settings import decoder_settings

CANARY = "canary-4711"
NAMES = ("name", "address")


def batch(values: list[object]) -> Batch:
    count = len(values)
    features = {
        "name": values,
        "address.zip": np.arange(count, dtype=np.float64),
        "age": list(range(count)),
    }
    outputs = {"prediction": [1.0] * count}
    return Batch(["a"] * count, range(count), [1.0] * count, features, outputs)  # type: ignore[arg-type]


def reference_of(rows: Batch) -> Reference:
    return build_from_columns(Rows(dict(rows.features), dict(rows.outputs)), created_at=0.0)


def test_a_redacted_key_names_no_prediction() -> None:
    asked = b'{"id": "%b", "x": 1}' % CANARY.encode()
    exchange = Exchange("p", "POST", "/p", 200, 1.0, 0.1, b"", asked, b"", b'{"prediction": 2}')
    upstream = {"upstream": "http://127.0.0.1:1"}
    for redact, names in (((), [CANARY]), (("id",), [])):
        config = Config.model_validate({**upstream, "observe": {"redact": redact}})
        named = Decoder(decoder_settings(config, None)).decode(exchange).aliases
        assert [one.name for one in named] == names


def test_only_the_presence_goes_on() -> None:
    seen = redacted(batch([CANARY, None, "", float("nan"), 0, {"of": CANARY}]), NAMES)
    assert seen.features["name"] == [True, None, None, None, True, True]
    assert seen.features["address.zip"] == [True] * 6
    assert seen.features["age"] == list(range(6))
    assert CANARY not in repr(seen)


def test_a_batch_without_such_a_column_is_left_as_it_is() -> None:
    rows = batch([1.0])
    assert redacted(rows, ("other",)) is rows
    assert redacted(rows, ()) is rows


def test_a_reference_learned_behind_it_holds_no_value() -> None:
    values: list[object] = [CANARY if n % 3 else None for n in range(600)]
    reference = reference_of(redacted(batch(values), NAMES))
    assert CANARY not in str(render(reference))
    check_reference(reference, NAMES)


def test_a_reference_with_values_is_refused() -> None:
    reference = reference_of(batch([f"{CANARY}-{n % 7}" for n in range(600)]))
    with pytest.raises(ReferenceFileError, match="holds values of 'name'"):
        check_reference(reference, ("name",))
    check_reference(reference, ("other",))
    with pytest.raises(ReferenceFileError, match=r"address\.zip"):
        check_reference(reference, ("address",))
