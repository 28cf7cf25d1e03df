"""What can go wrong with a link. ``reason`` is a short fixed word, so that refusals can be counted by it."""

from __future__ import annotations

from crypto.errors import CryptoError


class ChannelError(CryptoError):
    """Base: the link cannot be opened or has broken."""


class ChannelClosedError(ChannelError):
    """The other side went away, in order or not; ``clean`` tells whether it said so (close_notify)."""

    def __init__(self, message: str, *, clean: bool = False) -> None:
        super().__init__(message)
        self.clean = clean


class ChannelTimeoutError(ChannelError):
    """The other side did not move within the time allowed."""


class HandshakeError(ChannelError):
    """No link: ``reason`` is one of timeout, closed, certificate, revoked, group, suite, key, name, protocol."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
