"""Certificate files with faults: each is one line that names its setting, and replaces nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.relay.tls import Certificates, ListenerTls, UpstreamTls
from tests.relay.certificates import OPENSSL, Authority, needs_openssl

pytestmark = needs_openssl


def test_every_fault_of_the_files_names_its_setting(authority: Authority, tmp_path: Path) -> None:
    one, other = authority.issue(), authority.issue()
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    right, rubbish_name = str(one.certificate), str(rubbish)
    cases: list[tuple[ListenerTls | UpstreamTls, str]] = [
        (ListenerTls(right, str(other.key)), "tls.key: "),
        (ListenerTls(right, "/nowhere"), "tls.key: cannot read /nowhere: No such file"),
        (ListenerTls(right, rubbish_name), "tls.key: "),
        (ListenerTls("/nowhere", str(one.key)), "tls.certificate: cannot read /nowhere"),
        (ListenerTls(rubbish_name, str(one.key)), "tls.certificate: "),
        (ListenerTls(right, str(one.key), rubbish_name), "tls.client_ca: "),
        (UpstreamTls(enabled=True, ca=rubbish_name), "upstream_tls.ca: "),
        (UpstreamTls(enabled=True, ca="/nowhere"), "upstream_tls.ca: cannot read /nowhere"),
    ]
    for settings, line in cases:
        with pytest.raises(ConfigError) as caught:
            settings.context()
        assert str(caught.value).startswith(line)
        assert "\n" not in str(caught.value)


def test_an_encrypted_key_is_a_fault_and_asks_nobody(authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue()
    locked = tmp_path / "locked.key"
    assert OPENSSL
    words = ["ec", "-aes128", "-passout", "pass:secret", "-in", str(pair.key), "-out", str(locked)]
    subprocess.run([OPENSSL, *words], check=True, capture_output=True, timeout=20)
    with pytest.raises(ConfigError, match=r"tls\.key: .*encrypted"):
        ListenerTls(str(pair.certificate), str(locked)).context()


def test_both_sides_are_renewed_or_neither(authority: Authority, tmp_path: Path) -> None:
    pair, ca = authority.issue(), tmp_path / "ca.pem"
    ca.write_bytes(authority.ca.read_bytes())
    certificates = Certificates(
        ListenerTls(str(pair.certificate), str(pair.key)), UpstreamTls(enabled=True, ca=str(ca))
    )
    before = certificates.listener, certificates.upstream
    ca.write_text("rubbish")
    assert not certificates.renew()
    assert (certificates.listener, certificates.upstream) == before
    assert certificates.as_dict() == {
        "certificate_failures": 1,
        "certificate_fault": f"upstream_tls.ca: {ca} is no list of certificates in PEM form",
    }
    ca.write_bytes(authority.ca.read_bytes())
    assert certificates.renew()
    assert certificates.listener is not before[0]
    assert certificates.as_dict() == {"certificate_failures": 1, "certificate_fault": ""}


def test_without_tls_there_is_nothing_to_renew() -> None:
    certificates = Certificates(ListenerTls(), UpstreamTls())
    assert certificates.renew()
    assert certificates.listener is certificates.upstream is None
