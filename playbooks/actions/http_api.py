"""``http-api`` (CACAO 2.0, 5.6): ``METHOD target HTTP/x`` to the address of the target, with its authentication.

Success is an answer 2xx. Redirects are not followed: they would lead where nobody has looked. Values for out_args, the first that
fits: the pointer that our extension gives (``outputs``), the member of a JSON or XML answer called ``__name__`` or ``name``, the
built-in ``__http_status__`` and ``__http_body__``, and where a step wants exactly one value, the whole body.
"""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from playbooks.actions.contract import ActionError, Context, Destination, Plan, Request, Secrets
from playbooks.actions.destination import Endpoint, Reach, endpoints
from playbooks.actions.http_answer import Answer
from playbooks.actions.http_connection import HttpClient
from playbooks.actions.http_content import content_of, members_of, text_of
from playbooks.actions.json_values import pointed, value_of
from playbooks.model import Authentication
from playbooks.variables import LONGEST_VALUE, Value

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""What may be asked for: TRACE and CONNECT are none of them, the first has the server say the login back (RFC 9110, 9.3.8)."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer"})
"""Headers that say where a message ends or goes: written here, never by a playbook."""
_TOKEN = re.compile(r"[!-~]+(?: [!-~]+)*")
_SHORTEST_HIDDEN = 4
_SAFE = "!$&'()*+,;=:@/?%~-._"


class Line(NamedTuple):
    """A command's start line."""

    method: str
    target: str


class HttpApi:
    """The action. ``reach``: where it may go; ``tls``: whom it trusts (the system's authorities unless given)."""

    def __init__(self, reach: Reach = Reach(), tls: ssl.SSLContext | None = None) -> None:
        self._client = HttpClient(reach, tls)

    def plan(self, request: Request) -> Plan:
        """``POST https://host/path`` and the servers that it may touch."""
        line, servers = start_line(request.command.command), endpoints(request.target)
        content = f", {len(request.command.body()):,} octets" if request.command.content or request.command.content_b64 else ""
        return Plan(
            f"{line.method} {_url(servers[0], line.target)}{content}", tuple(f"{one.scheme}://{one.netloc}" for one in servers)
        )

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Send it and read the answer. Raises ActionError for everything but 2xx."""
        answer = self.answer(request, context)
        if not 200 <= answer.status < 300:
            raise refusal(answer)
        return outputs(request, answer)

    def answer(self, request: Request, context: Context) -> Answer:
        """The exchange itself."""
        line, servers = start_line(request.command.command), endpoints(request.target)
        body = request.command.body() if request.command.content or request.command.content_b64 else b""
        headers = _headers(request, servers[0], body, line.method)
        login = authorization(request.authentication, context.secrets, servers)
        answer = self._client.exchange(servers, line.method, _target(servers[0], line.target), headers + login, body, context)
        return answer._replace(body=_without(answer.body, login))


def start_line(text: str) -> Line:
    """``METHOD target [HTTP/x]``. Raises ActionError."""
    parts = text.split()
    if len(parts) not in (2, 3) or parts[0] not in METHODS or (len(parts) == 3 and not parts[2].startswith("HTTP")):
        raise ActionError(f"{text[:200]!r} is no start line", "write e.g. GET /path HTTP/1.1", code="COMMAND_WRONG")
    return Line(parts[0], parts[1])


def _target(server: Endpoint, target: str) -> str:
    """The request target: below the path of the server's URL; a whole URL only if it is of this server."""
    if "://" in target:
        parts = urlsplit(target)
        if (parts.scheme, parts.netloc.lower()) != (server.scheme, server.netloc.lower()):
            raise ActionError(f"the command goes to {parts.netloc}, its target is {server.netloc}", code="COMMAND_WRONG")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    elif server.path:
        target = server.path + (target if target[0] in "/?" else f"/{target}") if target != "/" else server.path
    elif target != "*" and target[0] != "/":
        target = f"/{target}"
    return quote(target, safe=_SAFE)


def _url(server: Endpoint, target: str) -> str:
    return f"{server.scheme}://{server.netloc}{_target(server, target)}"


def _headers(request: Request, server: Endpoint, body: bytes, method: str) -> list[tuple[str, str]]:
    headers = [("Host", server.netloc)]
    named = set()
    for name, values in request.command.headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise ActionError(f"the header {name[:60]!r} cannot be set by a playbook", code="COMMAND_WRONG")
        named.add(name.lower())
        keyed = [value or request.key for value in values] if name.lower() == "idempotency-key" else values
        headers += [(name, value) for value in keyed]
    for name, default in (("User-Agent", "Liandun-Playbook/1"), ("Accept", "*/*")):
        if name.lower() not in named:
            headers.append((name, default))
    if body and "content-type" not in named:
        headers.append(("Content-Type", _kind_of(body)))
    if body or method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(body))))
    return headers


def _kind_of(body: bytes) -> str:
    """The content type of a body that says nothing of it."""
    begins = body.lstrip()
    if begins.startswith(b"<?xml"):
        return "application/xml"
    return "application/json" if begins[:1] in (b"{", b"[") else "text/plain; charset=utf-8"


def authorization(authentication: Authentication | None, secrets: Secrets, servers: Sequence[Endpoint]) -> list[tuple[str, str]]:
    """The Authorization header of a target's authentication, which any of ``servers`` may get.

    Raises ActionError where its secret is not there, or is not for all of them.
    """
    if authentication is None:
        return []
    places = [Destination(one.host, one.port) for one in servers]
    secret = secrets(authentication.kms_key_identifier, places) if authentication.kms else ""
    if authentication.type == "oauth2":
        token = (secret or authentication.token).strip()
        if not _TOKEN.fullmatch(token):  # never shown: what cannot be a header must not stand in a message either
            hint = "set the token alone, on one line"
            raise ActionError("the token of the login is empty, or holds letters that no header may have", hint, code="LOGIN_WRONG")
        return [("Authorization", f"{authentication.oauth_header or 'Bearer'} {token}")]
    if authentication.type in ("http-basic", "user-auth"):
        user = authentication.user_id or authentication.username
        pair = f"{user}:{secret or authentication.password}".encode()
        return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")]
    raise ActionError(f"authentication of the kind {authentication.type} cannot be used over HTTP", code="COMMAND_WRONG")


def _without(body: bytes, login: Sequence[tuple[str, str]]) -> bytes:
    """An answer without the login, where the server says it back: what it said stands in messages, values and the journal."""
    for _, value in login:
        kind, _, credentials = value.rpartition(" ")
        said = [credentials.encode()]
        if kind == "Basic":
            said.append(base64.b64decode(credentials).partition(b":")[2])
        for one in said:
            if len(one) >= _SHORTEST_HIDDEN:
                body = body.replace(one, b"***")
    return body


def refusal(answer: Answer) -> ActionError:
    """What an answer other than 2xx comes to."""
    said = answer.body[:300].decode("utf-8", "replace").strip()
    message = f"the server answered {answer.status}" + (f": {said}" if said else "")
    if 300 <= answer.status < 400:
        return ActionError(message, "redirects are not followed: name the final address", code="HTTP_ERROR")
    return ActionError(message, code="HTTP_ERROR", again=answer.status >= 500 or answer.status in (408, 425, 429))


def outputs(request: Request, answer: Answer) -> dict[str, Value]:
    """The values that the step wants, as far as the answer has them."""
    if not request.out_args:
        return {}
    body = text_of(answer)[:LONGEST_VALUE]
    built_in: dict[str, Value] = {"__http_status__": str(answer.status), "__http_body__": body}
    content = content_of(answer)
    members = members_of(answer, content)
    found: dict[str, Value] = {}
    for name in request.out_args:
        if name in request.options.outputs:
            pointer = request.options.outputs[name]
            try:
                found[name] = value_of(pointed(content, pointer))
            except LookupError as error:
                raise ActionError(f"the answer has nothing at {pointer!r} for {name}", code="OUTPUT_MISSING") from error
        elif name in members or name.strip("_") in members:
            found[name] = value_of(members.get(name, members.get(name.strip("_"))))
        elif name in built_in:
            found[name] = built_in[name]
        elif len(request.out_args) == 1:
            found[name] = body
    return found
