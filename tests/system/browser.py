"""A console served for a real browser, and what a test asks of its pages."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from sqlalchemy import select
from werkzeug.serving import make_server

from operations.accounts import sessions
from operations.accounts.models import User
from soc_ui.app import create_app
from soc_ui.services import Services

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MARKS = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian/Ubuntu: apt install chromium)"),
]
WIDTHS = (1024, 1366, 1920)
_DRAWN = "[...document.querySelectorAll('[data-chart]')].every((box) => box.shown || box.querySelector('.empty'))"
_FITS = "document.documentElement.scrollWidth === document.documentElement.clientWidth"


class Served:
    """A console on a port of its own. Security keys know names only, so it can be reached as ``localhost``, too."""

    def __init__(self, services: Services, host: str = "127.0.0.1") -> None:
        self.services = services
        self._app = create_app(services)
        self._open(0)
        self.url = f"http://{host}:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()

    @contextmanager
    def away(self, context: BrowserContext) -> Iterator[None]:
        """The browser has no network. Its own switch is not enough: requests of a service worker pass it by now and then, so nobody
        listens at the address either."""
        context.set_offline(True)
        self.close()
        self._server.server_close()
        yield
        self._open(self._server.server_port)
        context.set_offline(False)

    def _open(self, port: int) -> None:
        self._server = make_server("127.0.0.1", port, self._app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def context(
        self, chromium: Browser, name: str = "", *, lang: str = "zh", theme: str = "auto", width: int = 1366, script: bool = True,
        workers: bool = True,
    ) -> BrowserContext:  # fmt: skip
        """A browser in which ``name`` is logged in ("" = nobody); how one gets there is tested where that is the subject.

        workers  service workers; a test that answers requests in place of the server sees all of them only without
        """
        size: ViewportSize = {"width": width, "height": 768 if width < 1900 else 1080}
        context = chromium.new_context(
            base_url=self.url, viewport=size, java_script_enabled=script, service_workers="allow" if workers else "block"
        )
        cookies = {"lang": lang, "theme": theme} | ({sessions.SESSION_COOKIE: self.session(name)} if name else {})
        context.add_cookies([{"name": key, "value": value, "url": self.url} for key, value in cookies.items()])
        return context

    def session(self, name: str) -> str:
        """The cookie of a session of ``name``, second factor and all."""
        with self.services.database.write() as session:
            user = session.execute(select(User).where(User.name == name)).scalar_one()
            return sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "test"), factor="totp")


class Watch:
    """What went wrong in the pages of a test: script errors, refused resources, requests to other origins."""

    def __init__(self, page: Page, origin: str) -> None:
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        page.on(
            "request",
            lambda request: (
                self.problems.append(f"foreign: {request.url}") if not request.url.startswith((origin, "data:")) else None
            ),
        )


def check_pages(served: Served, chromium: Browser, name: str, paths: Iterable[str], *, lang: str, theme: str) -> None:
    """No page of ``name`` is wider than the window at any width, has an error, or asks another origin for anything."""
    context = served.context(chromium, name, lang=lang, theme=theme)
    page = context.new_page()
    watch = Watch(page, served.url)
    for path in paths:
        page.goto(path)
        _until(page, _DRAWN, 30, f"the charts of {path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            _until(page, f"innerWidth === {width}", 5, "the window has its size")
            _until(page, _FITS, 3, f"{path} fits into {width} px")  # charts take their new width a moment later
    assert watch.problems == []
    context.close()


def _until(page: Page, expression: str, seconds: float, what: str) -> None:
    """Ask until it is true. Playwright's own wait_for_function asks by eval, which the policy of our pages forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        page.wait_for_timeout(20)
