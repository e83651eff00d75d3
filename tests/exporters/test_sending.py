"""Where a post may go: names are resolved once, every address is checked, redirects are answers."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from exporters.addresses import Address, AddressPolicy
from exporters.formats.format import Post
from exporters.sending import Answer, Sender, resolve, retry_after_seconds, trusted
from tests.exporters.receiving import answer, receiving, story
from tests.relay.certificates import Authority, needs_openssl

LOOPBACK = ("127.0.0.0/8",)


class Names:
    """A resolver that answers each question with the next of its lists, and then with the last."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = [[ipaddress.ip_address(one) for one in each] for each in answers]
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Asking:
    """A sender that is closed behind each question."""

    def __init__(
        self, names: Names, allow: Sequence[str] = (), tls: ssl.SSLContext | None = None
    ) -> None:
        self.made = (AddressPolicy(allow), names, tls)

    async def send(self, url: str) -> Answer:
        sender = Sender(*self.made)
        try:
            return await sender.send(Post(url, b"{}", {}), 0.0)
        finally:
            await sender.close()


def test_one_private_address_among_public_ones_is_refused() -> None:
    async def play() -> None:
        made = await Asking(Names(["1.1.1.1", "10.0.0.7"])).send("https://hooks.test/x")
        assert made == Answer(0, "refused: 10.0.0.7 is private, and not in alerts.allow_private")

    story(play)


def test_a_name_that_changes_its_address_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    async def connect(_: object, request: httpx.Request) -> httpx.Response:
        connected.append(request.url.host)
        raise httpx.ConnectError("nobody leaves this machine in a test")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", connect)

    async def play() -> None:
        names = Names(["1.1.1.1"], ["127.0.0.1"])
        asking = Asking(names)
        first = await asking.send("https://hooks.test/x")
        assert (first.reason, connected) == ("ConnectError", ["1.1.1.1"]), "not the name again"
        second = await asking.send("https://hooks.test/x")
        assert second.reason == "refused: 127.0.0.1 is private, and not in alerts.allow_private"
        assert connected == ["1.1.1.1"]
        assert names.asked == [("hooks.test", 443)] * 2, "one look an attempt"

    story(play)


def test_a_private_receiver_that_is_named_is_reached_by_its_address() -> None:
    async def play() -> None:
        async with receiving() as receiver:
            url = f"http://hooks.test:{receiver.port}/x"
            names = Names(["127.0.0.2", "127.0.0.1"])  # nobody listens on the first
            assert (await Asking(names, ["hooks.test"]).send(url)).taken
            (fields, body), = receiver.requests  # fmt: skip
            assert (fields["host"], body) == (f"hooks.test:{receiver.port}", b"{}")
            assert not (await Asking(names).send(url)).taken
            assert not (await Asking(names, ["other.test"]).send(url)).taken
            assert len(receiver.requests) == 1

    story(play)


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "127.1", "[::ffff:127.0.0.1]"])
def test_odd_spellings_of_this_machine_are_refused(host: str) -> None:
    """With the system's own resolver, which reads them as addresses without asking anybody."""

    async def play() -> None:
        async with receiving() as receiver:
            sender = Sender(AddressPolicy(["10.0.0.0/8"]))
            made = await sender.send(Post(f"http://{host}:{receiver.port}/", b"", {}), 0.0)
            await sender.close()
            assert made.reason.startswith("refused: "), made
            assert not receiver.requests

    story(play)


def test_the_systems_resolver_gives_each_address_once() -> None:
    async def play() -> None:
        assert await resolve("127.0.0.1", 80) == [ipaddress.ip_address("127.0.0.1")]

    story(play)


def test_a_redirect_is_an_answer_like_any_other() -> None:
    async def play() -> None:
        moved = answer(302, "location: http://169.254.169.254/latest/meta-data/")
        async with receiving(moved) as receiver:
            url = f"http://127.0.0.1:{receiver.port}/"
            assert await Asking(Names([]), LOOPBACK).send(url) == Answer(302, "status 302")
            assert len(receiver.requests) == 1

    story(play)


def test_plain_http_stays_within() -> None:
    async def play() -> None:
        made = await Asking(Names(["1.1.1.1"]), ["10.0.0.0/8"]).send("http://hooks.test/")
        assert made.reason == "refused: plain http is for private addresses only: use https"

    story(play)


def test_a_name_without_an_address() -> None:
    async def play() -> None:
        made = await Asking(Names([])).send("https://hooks.test/")
        assert made.reason == "refused: it has no address"

    story(play)


@needs_openssl
def test_tls_is_in_the_name_that_was_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = authority.issue("hooks.test").server_context()
    asked: list[str | None] = []
    server.sni_callback = lambda _, name, __: asked.append(name)
    client = authority.client_context()

    async def play() -> None:
        async with receiving(tls=server) as receiver:
            allow = ["127.0.0.1"]
            asking = Asking(Names(["127.0.0.1"]), allow, client)
            assert (await asking.send(f"https://hooks.test:{receiver.port}/")).taken
            assert asked == ["hooks.test"]
            other = await asking.send(f"https://other.test:{receiver.port}/")
            assert other == Answer(0, "ConnectError"), "a certificate of another name"
            unknown = Asking(Names(["127.0.0.1"]), allow)
            assert not (await unknown.send(f"https://hooks.test:{receiver.port}/")).taken
            assert len(receiver.requests) == 1

    story(play)


@needs_openssl
def test_an_authority_of_ones_own_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    server = authority.issue("hooks.test").server_context()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))

    async def play() -> None:
        async with receiving(tls=server) as receiver:
            asking = Asking(Names(["127.0.0.1"]), LOOPBACK)
            assert (await asking.send(f"https://hooks.test:{receiver.port}/")).taken

    trusted.cache_clear()
    try:
        story(play)
    finally:
        trusted.cache_clear()


@pytest.mark.parametrize("value", ["", "-1", "soon", "1e3", "٣", "9" * 20])
def test_an_unreadable_wait_asks_for_nothing(value: str) -> None:
    assert retry_after_seconds(value, 0.0) is None
    assert retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", 1e9) == 0.0, "nor does the past"
