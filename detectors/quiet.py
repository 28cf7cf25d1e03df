"""What a detector has told lately: a stream of flows or a sweep over a network is one fact, not thousands."""

from __future__ import annotations

import msgspec

QUIET_SECONDS = 60
_MOST_REMEMBERED = 10_000


class _Memory(msgspec.Struct):
    """When something was last told: key → @timestamp."""

    told: dict[str, str] = {}


class Quiet:
    """Each key is news once in QUIET_SECONDS of event time."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def is_news(self, key: str, time: str) -> bool:
        """True where the key was not told within the quiet time around ``time`` (@timestamp); it is told then."""
        last = self._told.get(key)
        if last is not None and last[:10] == time[:10] and abs(_seconds(time) - _seconds(last)) < QUIET_SECONDS:
            return False
        if len(self._told) >= _MOST_REMEMBERED:
            self._told = dict(sorted(self._told.items(), key=lambda entry: entry[1])[_MOST_REMEMBERED // 2 :])
        self._told[key] = time
        return True

    def state(self) -> bytes:
        """What was told lately (it survives restarts with the batch that told it)."""
        newest = max(self._told.values(), default="")
        if newest:
            self._told = {key: time for key, time in self._told.items() if time[:10] == newest[:10] and _recent(time, newest)}
        return msgspec.msgpack.encode(_Memory(self._told))

    def restore(self, state: bytes) -> None:
        """Raises ValueError for a state of another version."""
        try:
            self._told = msgspec.msgpack.decode(state, type=_Memory).told
        except msgspec.DecodeError as error:
            raise ValueError(f"the memory of a detector cannot be read: {error}") from error


def _recent(time: str, newest: str) -> bool:
    """Two moments of one day within the quiet time (and as much again, for events that come late)."""
    return _seconds(newest) - _seconds(time) < 2 * QUIET_SECONDS


def _seconds(time: str) -> int:
    return int(time[11:13]) * 3600 + int(time[14:16]) * 60 + int(time[17:19])
