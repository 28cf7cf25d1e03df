"""A real HTTP server that playbooks of tests act on; it keeps every request in the order in which it came."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class Target:
    """What has been asked. ``paths`` in order of arrival."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.paths: list[str] = []
        self.requests: list[dict[str, Any]] = []

    def count(self) -> Counter[str]:
        return Counter(self.paths)


@contextmanager
def running_target() -> Iterator[Target]:
    """``/fail/…`` answers 500, ``/flaky/N/…`` the first N times, ``/slow/MS/…`` after a while, ``/say?a=b`` with {"a": "b"},
    ``/rounds/N/…`` with {"more": "yes"}, the Nth time "no"."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                target.paths.append(parts.path)
                target.requests.append({"path": self.path, "body": body, "headers": dict(self.headers)})
                seen = target.paths.count(parts.path)
            words = parts.path.split("/")
            failed = words[1] == "fail" or (words[1] == "flaky" and seen <= int(words[2]))
            if words[1] == "slow":
                time.sleep(int(words[2]) / 1000)
            query = f"more={'yes' if seen < int(words[2]) else 'no'}" if words[1] == "rounds" else parts.query
            self._say(500 if failed else 302 if words[1] == "away" else 200, dict(parse_qsl(query)))

        do_GET = do_POST

        def _say(self, status: int, content: dict[str, str]) -> None:
            text = json.dumps(content).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except OSError:
                self.close_connection = True  # who asked did not wait

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    target = Target(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield target
    finally:
        server.shutdown()
        server.server_close()
