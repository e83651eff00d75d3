"""What is asked of sockets themselves, with the kernel's own."""

from __future__ import annotations

import socket

import pytest

from monitor.relay.sockets import accept_waiting

pytestmark = pytest.mark.end_to_end


def test_who_waits_at_a_listener_outlives_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients = [socket.create_connection(listener.getsockname(), 5) for _ in range(3)]
        for client in clients:
            client.sendall(b"asked")
        waiting = accept_waiting(listener)
        assert accept_waiting(listener) == []
    assert len(waiting) == 3
    assert not any(one.getblocking() for one in waiting)
    for served in waiting:
        assert served.recv(5) == b"asked"
        served.sendall(b"told")
        served.close()
    for client in clients:
        assert client.recv(5) == b"told"
        client.close()
