"""Sans-io wire formats: an exchange's bytes in, a `Batch` out; no sockets, clock or counters."""

from monitor.codec.decoder import Decoder
from monitor.codec.settings import DecoderSettings

__all__ = ["Decoder", "DecoderSettings"]
