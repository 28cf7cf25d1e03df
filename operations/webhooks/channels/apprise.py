"""Everything else: services that apprise (https://github.com/caronc/apprise) knows and we have no channel of our own for.

Apprise runs in a process of its own (apprise_process), which is killed at the deadline, so no plug-in of it can hold up a sender.
There every connection passes the guard, redirects are not followed, and nothing can be run, opened or written. The URL holds the
secrets: it is sealed, goes over by a pipe and not by arguments, and is cut out of what is told back.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from operations.errors import Invalid
from operations.webhooks.channels.apprise_schemes import check_apprise_url
from operations.webhooks.channels.chat import Robot
from operations.webhooks.channels.contract import Destination, Item, Verdict, Ways
from operations.webhooks.channels.settings import certificates, checked, language
from operations.webhooks.channels.text import template
from operations.webhooks.guard import WebhookPolicy

_ROOT = Path(__file__).resolve().parents[3]
_COMMAND = (sys.executable, "-E", "-s", "-B", "-m", "operations.webhooks.channels.apprise_process")
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
"""Nothing of ours: no proxy, no password."""
CHECK_SECONDS = 20.0
_MARKS = str.maketrans({"<": "＜", ">": "＞", "@": "＠"})
"""Signs with which some services call everybody, or begin markup."""


class Apprise(Robot):
    """One message to one service; what comes within a few seconds goes as one text."""

    kind = "apprise"
    credential: Literal["none"] = "none"
    limit = 3000

    def check(self, url: str, settings: Mapping[str, Any], policy: WebhookPolicy) -> dict[str, Any]:
        check_apprise_url(url, policy)
        full = checked(settings, {"language": (language, "zh"), "ca": (certificates, ""), "template": (template, "")})
        if not url.endswith("://…"):  # else the one that is sealed stays
            _check_understood(url)
        return full

    def escape(self, text: str) -> str:
        return text.translate(_MARKS)

    async def send(self, items: Sequence[Item], to: Destination, ways: Ways) -> Verdict:
        asked = {
            "act": "send", "url": to.url, "text": self.text(items, to), "ca": str(to.settings.get("ca", "")),
            "allow": list(ways.policy.allow), "seconds": ways.policy.deadline, "max_answer": ways.policy.max_answer,
        }  # fmt: skip
        async with ways.processes:
            told = await _asked(asked)
        return msgspec.structs.replace(told, error=redacted(told.error, to.url), answer=redacted(told.answer, to.url))


async def _asked(asked: Mapping[str, Any]) -> Verdict:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env=_ENVIRONMENT,
    )
    try:
        told, _ = await process.communicate(json.dumps(asked).encode())
    finally:
        if process.returncode is None:  # the deadline is over
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())
    return _verdict(told)


def _verdict(told: bytes) -> Verdict:
    try:
        return msgspec.json.decode(told, type=Verdict)
    except msgspec.DecodeError:
        return Verdict(None, "apprise ended without a word")


_understood: dict[bytes, None] = {}
"""Digests of URLs that apprise has read, the latest last: who looks again, in a transaction, does not wait again."""
_MOST_UNDERSTOOD = 256


def _check_understood(url: str) -> None:
    """Let apprise itself read the URL; nothing is sent or looked up. Raises Invalid."""
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()
    if digest in _understood:
        return
    asked = json.dumps({"act": "check", "url": url, "seconds": CHECK_SECONDS}).encode()
    try:
        done = subprocess.run(  # our own module, nothing of the request in the arguments
            _COMMAND, input=asked, capture_output=True, cwd=_ROOT, env=_ENVIRONMENT, timeout=CHECK_SECONDS, check=False
        )
        verdict = _verdict(done.stdout)
    except subprocess.TimeoutExpired:
        verdict = Verdict(None, f"apprise did not read it within {CHECK_SECONDS:g} s")
    if verdict.error:
        raise Invalid(f"the URL is not understood: {redacted(verdict.error, url)}", field="url")
    _understood[digest] = None
    for old in list(_understood)[:-_MOST_UNDERSTOOD]:
        _understood.pop(old, None)


def redacted(text: str, url: str) -> str:
    """``text`` without the parts of ``url``, plain and percent-encoded: tokens, keys, users, passwords."""
    rest = url.partition("://")[2]
    parts = {part for piece in re.split(r"[/:@?&=,]+", rest) for part in (piece, unquote(piece)) if len(part) >= 4}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "…")
    return text
