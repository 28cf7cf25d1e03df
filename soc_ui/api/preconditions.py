"""PUT makes or changes, and says which: ``If-None-Match: *`` makes a new one, ``If-Match`` changes a version (RFC 9110, 13.1)."""

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
    wanted, now = expected_version(headers["if_match"]), current()
    if wanted not in (None, now):
        raise Problem(412, "it was changed by somebody else", "read it again and decide once more")
    return store(now), 200
