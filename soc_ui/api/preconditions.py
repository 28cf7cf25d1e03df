"""Which version a change was decided on (RFC 9110, 13.1): ``If-Match`` changes it, a PUT with ``If-None-Match: *`` makes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from soc_ui.api.alerts import expected_version
from soc_ui.api.problems import Problem

T = TypeVar("T")


def put(headers: Mapping[str, str], current: Callable[[], int], store: Callable[[int | None], T]) -> tuple[T, int]:
    """Store under the precondition of the request; the answer's status is 201 for a new one, 200 for a changed one.

    current  the version as it is; raises NotFound
    store    makes a new one for None, else changes that version; both in the transaction of ``current``
    """
    if headers["if_none_match"].strip() == "*":
        return store(None), 201
    if not headers["if_match"].strip():
        raise Problem(428, "If-Match or If-None-Match is missing", "send If-None-Match: * for a new one, the ETag for a change")
    now = current()
    require(headers["if_match"], now)
    return store(now), 200


def require(if_match: str, now: int) -> None:
    """Raises Problem where ``If-Match`` is missing (428), cannot be read (400) or names another version than ``now`` (412)."""
    if expected_version(if_match) not in (None, now):
        raise Problem(412, "it was changed by somebody else", "read it again and decide once more")
