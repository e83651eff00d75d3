"""Rules and certificates that change under load: no request notices, and no fault is silent."""

from __future__ import annotations

import http.client
import random
import signal
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.load import Load
from tests.end_to_end.sidecar import Sidecar, model
from tests.relay.certificates import Authority, Pair, needs_openssl

pytestmark = pytest.mark.end_to_end

RULES = """
window: {{size: 1h, pane: 1m, min_rows: 2}}
timeouts: {{drain: 0s}}
drift: {{columns: {{x: {{method: psi, threshold: {threshold}}}}}}}
"""


def _threshold(sidecar: Sidecar) -> object:
    columns = sidecar.json("/api/v1/drift")["columns"]
    return next((one["threshold"] for one in columns if one["column"] == "x"), None)


def _failures(sidecar: Sidecar) -> float:
    return sidecar.metric("config_reload_failures_total", part="rules")


def test_twenty_reloads_under_load_half_of_them_invalid(
    start: Callable[..., Sidecar], tmp_path: Path
) -> None:
    sidecar = start(config=RULES.format(threshold=0.2))
    file = tmp_path / "sidelight.yaml"
    source = random.Random(6)
    for _ in range(51):
        sidecar.predict([source.gauss(0, 1) for _ in range(100)])
    load = Load(sidecar.port)
    sidecar.wait(lambda: _threshold(sidecar) == 0.2)
    invalid = ["drift: {fdr: 7}\n", "drift: [\n", "unknown: 1\n", None]
    for count in range(1, 11):
        content = invalid[count % len(invalid)]
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        if count % 2:
            sidecar.process.send_signal(signal.SIGHUP)
        sidecar.wait(lambda count=count: _failures(sidecar) == count)  # type: ignore[misc]
        assert sidecar.metric("config_valid", part="rules") == 0
        assert _threshold(sidecar) == (count + 1) / 10
        file.write_text(RULES.format(threshold=(count + 2) / 10))
        if count % 2 == 0:
            sidecar.process.send_signal(signal.SIGHUP)
        sidecar.wait(lambda count=count: _threshold(sidecar) == (count + 2) / 10)  # type: ignore[misc]
        assert sidecar.metric("config_valid", part="rules") == 1
    load.stop()
    assert load.sent > 100
    assert load.failures == []
    sidecar.wait(lambda: sum(sidecar.outcomes().values()) == load.sent + 51)
    assert _failures(sidecar) == 10


def test_what_needs_a_restart_is_said(start: Callable[..., Sidecar], tmp_path: Path) -> None:
    sidecar = start(config=RULES.format(threshold=0.2))
    changed = RULES.format(threshold=0.2).replace("1h", "2h") + "model: {name: other}\n"
    (tmp_path / "sidelight.yaml").write_text(changed)
    sidecar.wait(lambda: '"needs_a_restart": ["model", "window"]' in sidecar.log())
    assert sidecar.metric("config_valid", part="rules", model="model") == 1


def _show(pair: Pair, shown: Pair) -> None:
    for source, target in ((pair.certificate, shown.certificate), (pair.key, shown.key)):
        fresh = target.with_suffix(".fresh")
        fresh.write_bytes(source.read_bytes())
        fresh.replace(target)


def _serial(port: int, context: ssl.SSLContext) -> str:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    connection.connect()
    assert isinstance(connection.sock, ssl.SSLSocket)
    certificate = connection.sock.getpeercert()
    connection.close()
    assert certificate
    return str(certificate["serialNumber"])


@needs_openssl
def test_certificates_change_under_load_from_tls_client_to_tls_model(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    pairs = [authority.issue() for _ in range(3)]
    shown = Pair(tmp_path / "shown.pem", tmp_path / "shown.key")
    _show(pairs[0], shown)
    context = authority.client_context()
    config = (
        f"tls: {{certificate: {shown.certificate}, key: {shown.key}}}\n"
        f"upstream_tls: {{ca: {authority.ca}, server_name: localhost}}\n"
    )
    with model(pairs[2].server_context()) as served:
        url = served.url.replace("http:", "https:")
        sidecar = Sidecar(tmp_path, "--upstream", url, "--workers", "2", config=config)
        try:
            load = Load(sidecar.port, tls=context, each=3)
            serial = _serial(sidecar.port, context)
            for count in range(1, 7):
                _show(Pair(pairs[0].certificate, pairs[1].key), shown)  # the key of another
                sidecar.process.send_signal(signal.SIGHUP)
                failed = ("config_reload_failures_total", 2 * count)  # in each of two workers
                sidecar.wait(lambda f=failed: sidecar.metric(f[0], part="certificates") == f[1])  # type: ignore[misc]
                assert sidecar.metric("config_valid", part="certificates") == 0
                _show(pairs[count % 2], shown)
                sidecar.process.send_signal(signal.SIGHUP)
                sidecar.wait(lambda: sidecar.metric("config_valid", part="certificates") == 1)
                before, serial = serial, _serial(sidecar.port, context)
                assert serial != before
            load.stop()
            assert load.sent > 100
            assert load.failures == []
            sidecar.wait(lambda: sidecar.outcomes().get("observed") == load.sent)
            assert sidecar.stop() == 0
        finally:
            sidecar.close()
