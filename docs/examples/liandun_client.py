"""A client of Liandun's REST API in one file: Python 3.11, standard library only. Copy it and change it as you like.

    LIANDUN_KEY=ldn_… python3 liandun_client.py https://soc.example.cn

acknowledges nothing by itself: it prints the open critical alerts, oldest first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

Body = dict[str, Any]


class ApiError(Exception):
    """An answer after RFC 9457: ``status``, and what it says of itself."""

    def __init__(self, status: int, problem: Body) -> None:
        super().__init__(f"{status} {problem.get('detail') or problem.get('title', '')}")
        self.status, self.problem = status, problem


class Liandun:
    """``url`` of the console, ``key`` from its page 接口密钥 (API keys). Nothing is kept but the two."""

    def __init__(self, url: str, key: str, *, patience: int = 3) -> None:
        self._base, self._key, self._patience = url.rstrip("/") + "/api/v1", key, patience

    def call(self, method: str, path: str, body: Body | None = None, *, version: str = "", **query: Any) -> tuple[Body, str]:
        """The answer and its ETag. Waits and tries again where the platform says that it is busy (503, 429). Raises ApiError."""
        address = self._base + path + (f"?{urlencode(query, doseq=True)}" if query else "")
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if version:
            headers["If-Match"] = version
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        for left in range(self._patience, -1, -1):
            try:
                with urlopen(Request(address, data, headers, method=method), timeout=60) as answer:  # noqa: S310  # our own URL
                    content = answer.read()
                    return json.loads(content) if content else {}, answer.headers.get("ETag", "")
            except HTTPError as error:
                if error.code not in (429, 503) or not left:
                    raise ApiError(error.code, _problem(error)) from None
                time.sleep(min(int(error.headers.get("Retry-After", "1")), 30))
        raise AssertionError("not reached")

    def listing(self, path: str, name: str, **query: Any) -> Iterator[Body]:
        """Every row of a list: page after page, while there is a cursor. ``name`` is the field that holds the rows."""
        cursor = ""
        while True:
            page, _etag = self.call("GET", path, **query, **({"cursor": cursor} if cursor else {}))
            yield from page[name]
            cursor = page.get("next_cursor", "")
            if not cursor:
                return

    def change(self, path: str, decide: Any) -> Body:
        """Read, decide, write; where somebody else was quicker (412), read and decide again. ``decide(object)`` gives the change,
        or None to leave it.
        """
        while True:
            found, version = self.call("GET", path)
            wanted = decide(found)
            if wanted is None:
                return found
            try:
                return self.call("PATCH", path, wanted, version=version)[0]
            except ApiError as error:
                if error.status != 412:
                    raise


def _problem(error: HTTPError) -> Body:
    try:
        found = json.loads(error.read())
    except ValueError:
        return {"title": error.reason}
    return found if isinstance(found, dict) else {"title": error.reason}


def main() -> None:
    city = Liandun(sys.argv[1], os.environ["LIANDUN_KEY"])
    for alert in city.listing("/alerts", "alerts", status=["new", "acknowledged"], level="critical", order="oldest", limit=500):
        print(alert["last_seen"], alert["id"], alert["rule_name"], alert["host"] or alert["source_ip"] or "")


if __name__ == "__main__":
    main()
