"""The charts' library: the package's own file, small on the wire, kept for good."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from importlib.resources import files
from typing import Any

import brotli
import pytest

from monitor.api.charts import PATH
from monitor.api.guard import PAGE_POLICY

PACK = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_the_bundle_is_the_packages_own(client: Any, coding: str) -> None:
    bundle = files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    answer = client.get(PATH, headers={"accept-encoding": coding})
    assert answer.status_code == 200
    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.content == bundle
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding"
    if coding != "identity":
        assert int(answer.headers["content-length"]) < len(bundle) / 3


def test_the_page_names_it_and_does_not_wait_for_it(client: Any) -> None:
    html = client.get("/").text
    assert f'data-charts="{PATH}"' in html
    assert PATH not in re.sub(r"data-charts=\S+", "", html)


def test_the_policy_lets_in_an_empty_style_and_no_other() -> None:
    nothing = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    assert re.findall(r"'sha256-([^']+)'", PAGE_POLICY) == [nothing]
    assert "unsafe" not in PAGE_POLICY
