"""All tunnelled connections of one relay worker: pieces in, exchanges and fates out; no I/O."""

from __future__ import annotations

from monitor.codec.http2.assembler import Assembler, AssemblerSettings, Settled
from monitor.records.tunnelled import Piece, TunnelEnd


class Tunnels:
    """Tells connections apart by their numbers."""

    def __init__(self, settings: AssemblerSettings) -> None:
        self._settings = settings
        self._open: dict[int, Assembler] = {}

    def piece(self, piece: Piece) -> list[Settled]:
        """What a piece completes."""
        assembler = self._open.get(piece.tunnel)
        if assembler is None:
            assembler = Assembler(self._settings, fresh=piece.fresh)
            self._open[piece.tunnel] = assembler
        return assembler.feed(piece.side, piece.data, piece.at, piece.opened)

    def end(self, end: TunnelEnd) -> list[Settled]:
        """What the end of a connection settles."""
        assembler = self._open.pop(end.tunnel, None)
        return [] if assembler is None else assembler.end(lost=end.lost)

    def end_all(self) -> list[Settled]:
        """The worker is gone, and with it all its connections."""
        left, self._open = self._open, {}
        return [one for assembler in left.values() for one in assembler.end(lost=True)]
