"""HTTP/2 as it was tunnelled, put together again: frames in, exchanges out; no I/O."""

from monitor.codec.http2.assembler import Assembler, Settled
from monitor.codec.http2.tunnels import Tunnels

__all__ = ["Assembler", "Settled", "Tunnels"]
