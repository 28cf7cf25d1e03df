"""The process in which apprise runs: a request comes in as JSON on standard input, a verdict goes out as JSON on standard output.

With some services apprise reports success for a refused message. Here a sending has succeeded only if it says so, nothing was
warned of, at least one request was answered, every answer was 2xx, and none of them says no in its body.

An audit hook (PEP 578) stands between all of its code and the machine: connections go only to addresses that the guard permits
(each is checked as it is connected to, so a name that changes its answer gains nothing), nothing is listened on, run, or opened for
writing, and files are read only where Python and its certificates live.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import requests
from requests.adapters import HTTPAdapter

from operations.webhooks.channels.contract import Verdict, tls_context
from operations.webhooks.channels.network import retry_after
from operations.webhooks.guard import Network, permitted

_MEMORY = 2 << 30
"""Bytes of address space: an answer without end ends here."""
_READABLE = tuple(
    {os.path.realpath(path) + "/" for path in (sys.prefix, sys.base_prefix, *sys.path, "/etc/ssl", "/usr/share", "/usr/lib")}
)
_NEVER = (
    "subprocess.",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "os.fork",
    "pty.",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
)
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.",
)
_REFUSALS: Mapping[str, tuple[str, str, frozenset[Any]]] = {
    "bark": ("code", "message", frozenset({200})),
    "pushdeer": ("code", "error", frozenset({0})),
    "pushplus": ("code", "msg", frozenset({200})),
    "schan": ("code", "message", frozenset({0})),
    "wxpusher": ("code", "msg", frozenset({1000})),
    "apprise": ("error", "error", frozenset({None})),
}
"""Scheme → where an answer of 200 says whether the message was taken, where why not, and what says that it was."""


class Asked(msgspec.Struct, frozen=True):
    """What is asked for. ``act``: check (is the URL understood?), send."""

    act: str
    url: str
    text: str = ""
    ca: str = ""
    allow: tuple[str, ...] = ()
    seconds: float = 10.0
    max_answer: int = 2048


class Watch:
    """What may be connected to, and what became of the requests."""

    def __init__(self, allow: Sequence[Network], *, network: bool) -> None:
        self.allow, self.network = allow, network
        self.scheme = ""
        """Of the request that is under way."""
        self.answers: list[requests.Response] = []
        self.refused: list[str] = []
        self.warned: list[str] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """The audit hook. Raises PermissionError for what must not be."""
        if event == "socket.connect":
            self._connect(args[1])
        elif event == "socket.getaddrinfo" and not self.network:
            raise PermissionError("no names are looked up here")
        elif event == "open":
            _open(args)
        elif event.startswith(_NEVER) or event.startswith(_CHANGES):
            raise PermissionError(f"{event} is not possible here")

    def _connect(self, place: Any) -> None:
        try:
            address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        except (ValueError, IndexError, TypeError) as error:
            raise PermissionError("only addresses are connected to") from error
        if not self.network or not permitted(address, self.scheme, self.allow):
            self.refused.append(str(address))
            raise PermissionError(f"{address} may not be connected to")


class Guarded(HTTPAdapter):
    """Requests that tell the watch what they are, check certificates whatever a plug-in wishes, and use no proxy."""

    def __init__(self, watch: Watch, ca: str) -> None:
        self._watch, self._tls = watch, tls_context(ca)
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more, ssl_context=self._tls)

    def cert_verify(self, conn: Any, *_: Any) -> None:
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, True)
        return host, {"cert_reqs": "CERT_REQUIRED", "ssl_context": self._tls} if host["scheme"] == "https" else pool

    def send(self, request: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        self._watch.scheme = str(request.url).partition(":")[0]
        answer = super().send(request, **(more | {"verify": True, "cert": None, "proxies": {}}))
        self._watch.answers.append(answer)
        return answer


class _Warnings(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.warned.append(record.getMessage()[:300])


def _open(args: tuple[Any, ...]) -> None:
    path, _mode, flags = args
    if isinstance(path, int):
        return
    if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
        if path != os.devnull:
            raise PermissionError("nothing is written here")
    elif not (os.path.realpath(os.fsdecode(path)) + "/").startswith(_READABLE):
        raise PermissionError("this file is not read here")


def carry_out(asked: Asked) -> Verdict:
    """Do what is asked for and judge it."""
    watch = Watch([ipaddress.ip_network(one) for one in asked.allow], network=asked.act == "send")
    adapter = Guarded(watch, asked.ca)
    requests.Session.get_adapter = lambda *_, **__: adapter  # type: ignore[method-assign]
    requests.Session.should_strip_auth = lambda *_: True  # type: ignore[method-assign]
    requests.Session.get_redirect_target = lambda *_: None  # type: ignore[method-assign]
    service, plugins = _service(asked.url, watch)
    if service is None:
        return Verdict(None, "; ".join(watch.warned) or "it is no URL of this service")
    if asked.act == "check":
        return Verdict(200)
    service.notify_format = plugins.NotifyFormat.TEXT if service.notify_format is None else service.notify_format
    service.overflow_mode = plugins.OverflowMode.SPLIT
    try:
        taken = bool(service.notify(body=asked.text, title="", notify_type=plugins.NotifyType.WARNING, body_format="text"))
    except Exception as error:  # a plug-in may fail in any way; each of them is a failure of this message
        taken = False
        watch.warned.append(f"{type(error).__name__}: {error}"[:300])
    return judged(asked, watch, taken)


def _service(url: str, watch: Watch) -> tuple[Any, Any]:
    """The plug-in for a URL, None where it does not understand it; and apprise. Everything below is watched."""
    import apprise  # after requests was put under watch

    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [_Warnings(watch)], False
    asset = apprise.AppriseAsset(
        app_id="Liandun", app_desc="Liandun", app_url="", image_url_mask="", image_url_logo="", async_mode=False,
        http_redirects=False, allow_templates=False, storage_mode=apprise.PersistentStoreMode.MEMORY,
    )  # fmt: skip
    sys.addaudithook(watch)
    try:
        return apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True), apprise
    except Exception as error:  # a plug-in that cannot read a URL may fail in any way
        watch.warned.append(type(error).__name__)
        return None, apprise


def judged(asked: Asked, watch: Watch, taken: bool) -> Verdict:
    """The verdict; the first answer that says no is the one that is told of."""
    last: Verdict | None = None
    for answer in watch.answers:
        text = answer.content[: asked.max_answer].decode("utf-8", "replace").replace("\0", "")
        last = Verdict(answer.status_code, _says_no(asked.url, answer, text), text)
        if last.error:
            return msgspec.structs.replace(last, retry_after=retry_after(answer.headers.get("Retry-After", "")))
    if last is None and watch.refused:
        told = f"{watch.refused[0]} is not a public address, or asked for without TLS (allow its network in the configuration)"
        return Verdict(None, told)
    if last is None:
        return Verdict(None, "; ".join(watch.warned)[:512] or "nothing was sent")
    if not taken or watch.warned:
        return msgspec.structs.replace(last, error="; ".join(watch.warned)[:512] or "apprise reports a failure")
    return last


def _says_no(url: str, answer: requests.Response, text: str) -> str:
    if not 200 <= answer.status_code < 300:
        return f"HTTP {answer.status_code}" + (": redirects are not followed" if 300 <= answer.status_code < 400 else "")
    scheme = url.partition("://")[0].lower()
    known = _REFUSALS.get(scheme) or _REFUSALS.get(scheme.removesuffix("s"))
    try:
        body = json.loads(answer.content)
    except ValueError:
        return "the answer is not the service's" if known and known[0] == "code" else ""
    if not isinstance(body, dict):
        return ""
    if known and body.get(known[0]) not in known[2]:
        return f"{known[0]} {str(body.get(known[0]))[:32]}: {str(body.get(known[1], ''))[:256]}"
    if body.get("ok") is False or body.get("success") is False or body.get("errcode") not in (None, 0):
        return f"the service refused it: {text[:256]}"
    return ""


def main() -> None:
    """Read, do, answer."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a plug-in prints is no verdict
    asked = msgspec.json.decode(sys.stdin.buffer.read(64 * 1024), type=Asked)
    signal.alarm(int(asked.seconds) + 5)  # ours, should nobody be left to kill us
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out.write(msgspec.json.encode(carry_out(asked)))
    out.flush()


if __name__ == "__main__":
    main()
