"""CloudEvents in structured JSON, read back by the library of that project."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook

from exporters.formats.cloudevents import FORMAT
from exporters.formats.format import Post, Receiver
from tests.exporters.formats.notices import PAGE, message, told

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def made(column: str = "delay", *, firing: bool = True) -> Post:
    each = told(column, firing=firing)
    return FORMAT.post(Receiver("https://x.test/", SECRET, PAGE), message(each), time.time())


def read(post: Post) -> BaseCloudEvent:
    return from_http_event(HTTPMessage(headers=dict(post.headers), body=post.payload))


def test_the_projects_own_library_reads_it() -> None:
    firing, resolved = read(made()), read(made(firing=False))
    assert firing.get_type() == "io.sidelight.alert.firing"
    assert resolved.get_type() == "io.sidelight.alert.resolved"
    for event, each in ((firing, told()), (resolved, told(firing=False))):
        assert event.get_specversion() == "1.0"
        assert event.get_id() == "msg_1"
        assert event.get_source() == "/sidelight/models/flights/versions/3"
        assert event.get_subject() == "delay"
        assert event.get_datacontenttype() == "application/json"
        assert event.get_data() == each
    assert firing.get_time() == datetime.fromtimestamp(1000.0, UTC)
    assert resolved.get_time() == datetime.fromtimestamp(2000.5, UTC)


def test_it_is_signed() -> None:
    post = made("ünïcode")
    verified = Webhook(SECRET).verify(post.payload, dict(post.headers))
    assert verified["data"]["labels"]["column"] == "ünïcode"
