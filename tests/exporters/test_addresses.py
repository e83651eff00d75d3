"""Which addresses are private, however they are written; which entries name them."""

from __future__ import annotations

import ipaddress

import pytest

from exporters.addresses import AddressPolicy, RefusedError, is_public

PRIVATE = (
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "0.0.0.0", "255.255.255.255", "224.0.0.1",
    "240.0.0.1", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "fec0::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:7f00:1::",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1",
          "64:ff9b::101:101", "2002:101:101::1")  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_private(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert not is_public(address)
    with pytest.raises(RefusedError, match="is private"):
        AddressPolicy().admit("https", "hooks.test", [address])
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(ValueError, match="is private"):
        AddressPolicy().check_url(f"https://{host}:9/x")


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert is_public(address)
    assert AddressPolicy().admit("https", "hooks.test", [address]) == [address]
    with pytest.raises(RefusedError, match="use https"):
        AddressPolicy(["hooks.test"]).admit("http", "hooks.test", [address])


@pytest.mark.parametrize(
    ("entry", "host", "address", "allowed"),
    [
        ("10.0.0.0/8", "x", "10.9.9.9", True),
        ("10.0.0.1/8", "x", "10.9.9.9", True),
        ("10.0.0.0/8", "x", "::ffff:10.9.9.9", True),
        ("10.0.0.0/8", "x", "192.168.0.1", False),
        ("127.0.0.1", "x", "127.0.0.1", True),
        ("127.0.0.1", "x", "127.0.0.2", False),
        ("::1", "x", "::1", True),
        ("[::1]", "x", "::1", True),
        ("::/0", "x", "10.0.0.1", False),
        ("Alertmanager", "alertmanager.", "10.0.0.1", True),
        ("alertmanager", "other", "10.0.0.1", False),
        ("alertmanager", "alertmanager.evil.test", "10.0.0.1", False),
        ("receiver-1", "receiver-1", "fd00::1", True),
    ],
)
def test_what_an_entry_allows(entry: str, host: str, address: str, allowed: bool) -> None:
    policy, found = AddressPolicy([entry]), [ipaddress.ip_address(address)]
    if allowed:
        assert policy.admit("http", host, found) == found
    else:
        with pytest.raises(RefusedError):
            policy.admit("http", host, found)


@pytest.mark.parametrize(
    "entry",
    ["", " ", "http://x", "x:80", "10.0.0.0/33", "10.0.0", "0x7f.1", "a b", "*", "x/y", "1"],
)  # fmt: skip
def test_what_is_no_entry(entry: str) -> None:
    with pytest.raises(ValueError, match="no host name"):
        AddressPolicy([entry])


@pytest.mark.parametrize(
    ("allow", "url", "fine"),
    [
        ((), "https://hooks.test/x", True),
        ((), "http://hooks.test/x", False),
        (("alertmanager",), "http://alertmanager:9093/", True),
        (("alertmanager",), "http://other:9093/", False),
        (("10.0.0.0/8",), "http://alertmanager:9093/", True),
        (("10.0.0.0/8",), "http://10.1.2.3:9093/", True),
        (("10.0.0.0/8",), "http://127.0.0.1:9093/", False),
        (("10.0.0.0/8",), "https://127.0.0.1:9093/", False),
        (("10.0.0.0/8",), "http://1.1.1.1/", False),
    ],
)
def test_what_can_be_told_of_a_url_at_once(allow: tuple[str, ...], url: str, fine: bool) -> None:
    if fine:
        AddressPolicy(allow).check_url(url)
    else:
        with pytest.raises(ValueError, match=r"use https|is private"):
            AddressPolicy(allow).check_url(url)
