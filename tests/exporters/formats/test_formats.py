"""What every format promises: the table is the configuration's, texts stay texts, sizes hold."""

from __future__ import annotations

from typing import get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.formats import FORMATS
from exporters.formats.format import Receiver
from exporters.message import notice
from monitor.config.alerts import WebhookFormat
from monitor.snapshot import Alert, AlertState
from tests.exporters.formats.notices import PAGE, message, told

NAMES = sorted(FORMATS)
# What the receivers themselves refuse to take more of.
MOST_BYTES = {"teams": 28_000, "pagerduty": 512_000, "slack": 100_000}


def test_the_configuration_offers_what_there_is() -> None:
    assert set(get_args(WebhookFormat)) == set(FORMATS)


@pytest.mark.parametrize("name", NAMES)
def test_a_post_is_json_and_hides_what_it_holds(name: str) -> None:
    receiver = Receiver("https://canary.test/", "canary-secret", PAGE)
    made = FORMATS[name].post(receiver, message(), 1000.0)
    assert orjson.loads(made.payload)
    assert "json" in made.headers["content-type"]
    assert "canary" not in repr(made) + repr(receiver)


@pytest.mark.parametrize("name", NAMES)
def test_many_alerts_with_long_names_stay_within_the_limit(name: str) -> None:
    form = FORMATS[name]
    many = (told(f"{i}{'é&<' * 1_000}", turn=i) for i in range(1 if form.single else 100))
    notices = list(many)
    made = form.post(Receiver("https://x.test/", None, PAGE), message(*notices), 0.0)
    assert len(made.payload) < MOST_BYTES.get(name, 100_000_000)


_texts = st.text(st.characters(), max_size=40)  # half surrogates too: they come from JSON


@pytest.mark.parametrize("name", NAMES)
@given(
    labels=st.dictionaries(st.sampled_from(["alertname", "model", "column", "severity"]), _texts),
    notes=st.dictionaries(st.sampled_from(["summary", "description", "dashboard_url"]), _texts),
    state=st.sampled_from([AlertState.FIRING, AlertState.RESOLVED]),
    at=st.floats(allow_nan=True, allow_infinity=True),
)
def test_no_alert_is_too_odd_to_be_told(
    name: str, labels: dict[str, str], notes: dict[str, str], state: AlertState, at: float
) -> None:
    """What a format cannot write would end the deliveries of all that follow."""
    each = notice(Alert(labels, notes, state, at, at, at), PAGE)
    made = FORMATS[name].post(Receiver("https://x.test/", None, PAGE), message(each), 0.0)
    orjson.loads(made.payload)
