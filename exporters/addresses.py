"""Which addresses alerts may be sent to: public ones, and the private ones that are named.

A receiver's name may resolve to anything, also to what only this machine or its network can reach
and what nobody meant (server-side request forgery). Pure; who resolves names is at the edge.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1: the same, obsolete
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_.])?")
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)\.?")  # how addresses end, also odd spellings


class RefusedError(Exception):
    """Nothing is sent there; its text is one line for the log, and holds no secret."""


def read_address(text: str) -> Address | None:
    """The address that a host of a URL is, brackets or not; None where it is a name."""
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether the whole internet means the same machine by it, however it is wrapped.

    >>> [is_public(ipaddress.ip_address(a)) for a in ("1.1.1.1", "::ffff:127.0.0.1", "100.64.0.1")]
    [True, False, False]
    """
    return all(_is_public(each) for each in _meanings(address))


def _meanings(address: Address) -> Sequence[Address]:
    """The address itself, or the IPv4 addresses that an IPv6 one carries."""
    carried = _carried(address) if isinstance(address, ipaddress.IPv6Address) else []
    return carried or [address]


def _carried(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


def _is_public(address: Address) -> bool:
    local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or local)


class AddressPolicy:
    """Where one may connect: anything public by https, and what `allow_private` names.

    An entry is a network or address, which allows the private addresses within it, or a host name,
    which allows whatever private addresses that host has. ValueError on anything else.
    """

    def __init__(self, allow_private: Iterable[str] = ()) -> None:
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._hosts: set[str] = set()
        for entry in allow_private:
            self._add(entry)

    def _add(self, entry: str) -> None:
        try:
            self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            if not _HOST.fullmatch(_plain(entry)) or _NUMBER.fullmatch(_plain(entry)):
                raise ValueError(
                    f"{entry!r} is no host name, no address and no network like 10.0.0.0/8"
                ) from None
            self._hosts.add(_plain(entry))

    def admit(self, scheme: str, host: str, addresses: Iterable[Address]) -> list[Address]:
        """All of `addresses`, which `host` has; RefusedError where one of them is out of bounds."""
        checked = list(addresses)
        if not checked:
            raise RefusedError("it has no address")
        for address in checked:
            if is_public(address):
                if scheme != "https":
                    raise RefusedError("plain http is for private addresses only: use https")
            elif not self._allows(host, address):
                raise RefusedError(f"{address} is private, and not in alerts.allow_private")
        return checked

    def _allows(self, host: str, address: Address) -> bool:
        if _plain(host) in self._hosts:
            return True
        return all(
            any(each in network for network in self._networks if network.version == each.version)
            for each in _meanings(address)
        )

    def check_url(self, url: str) -> None:
        """ValueError where a URL is refused whatever its host resolves to."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        address = read_address(host)
        if address is not None:
            try:
                self.admit(parts.scheme, host, [address])
            except RefusedError as error:
                raise ValueError(str(error)) from None
        elif parts.scheme != "https" and not self._networks and _plain(host) not in self._hosts:
            raise ValueError("plain http is for hosts that alerts.allow_private names: use https")


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
