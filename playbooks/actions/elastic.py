"""``elastic`` (CACAO 2.0, 5.5): a query to an Elasticsearch or OpenSearch at the address of the target, over our HTTP.

Nothing is asked but ``_search`` and ``_count``. The query is the body of a search or one query of the DSL (JSON), or a text in the
language of Lucene. An answer that lacks a part (a shard, what came after the time was over) is a failure, never a smaller number.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from playbooks.actions import findings
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.destination import Endpoint, Reach, endpoints
from playbooks.actions.elastic_query import body_of, path_of
from playbooks.actions.http_answer import MAX_BODY, Answer
from playbooks.actions.http_api import HttpApi, refusal
from playbooks.actions.parameters import read_parameters
from playbooks.actions.query_parameters import ElasticParameters
from playbooks.model import Command
from playbooks.variables import Value


class Elastic:
    """The action. ``reach``: where it may go; ``tls``: whom it trusts (the system's authorities unless given)."""

    def __init__(self, reach: Reach = Reach(), tls: ssl.SSLContext | None = None) -> None:
        self._http = HttpApi(reach, tls)

    def plan(self, request: Request) -> Plan:
        """``search https://host/index: query``. Raises ActionError for what is no query."""
        given, path, _ = _question(request)
        servers = _servers(request)
        line = f"{given.call} {servers[0].url(path.partition('?')[0])}: {request.command.text()}"
        return Plan(line, tuple(f"{one.scheme}://{one.netloc}" for one in servers))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Ask. Raises ActionError."""
        given, path, body = _question(request)
        _servers(request)
        if given.call == "search":
            body["timeout"] = f"{max(1, int(context.left() * 1000))}ms"
        command = Command(
            type="http-api",
            command=f"POST {path} HTTP/1.1",
            headers={"Content-Type": ["application/json"], "Accept": ["application/json"]},
            content=msgspec.json.encode(body).decode(),
        )
        answer = self._http.answer(msgspec.structs.replace(request, command=command), context)
        found = _read(answer)
        return findings.values(request, {"hits": _hits(found), "took": found.get("took", 0)}, found)


def _servers(request: Request) -> list[Endpoint]:
    """The servers of the target. Raises ActionError where a URL leads into an API: ``/x/_doc`` would write a document."""
    servers = endpoints(request.target)
    for server in servers:
        if any(part.startswith("_") for part in re.split(r"[/\\]", unquote(unquote(server.path)))):
            hint = "name the server, and what is searched by the parameter index"
            raise ActionError(f"{server.path[:80]!r} leads into an API of Elasticsearch", hint, code="COMMAND_WRONG")
    return servers


def _question(request: Request) -> tuple[ElasticParameters, str, dict[str, Any]]:
    try:
        given = read_parameters("elastic", request.command.more)
        assert isinstance(given, ElasticParameters)
        return given, path_of(given), body_of(request.command.text(), given)
    except ValueError as error:
        raise ActionError(f"this is no query for Elasticsearch: {error}", code="COMMAND_WRONG") from error


def _read(answer: Answer) -> dict[str, Any]:
    """The answer, if it is a whole one to the whole question. Raises ActionError."""
    if answer.status == 400:
        raise ActionError(f"Elasticsearch does not take the query: {_reason(answer.body)}", code="QUERY_WRONG")
    if not 200 <= answer.status < 300:
        raise refusal(answer)
    if not answer.whole:
        hint = "fewer documents (size), or fewer of their fields (_source)"
        raise ActionError(f"the answer has more than {MAX_BODY:,} octets", hint, code="OUTPUT_TOO_LONG")
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ActionError("the answer is no JSON: is this an Elasticsearch?", code="HTTP_ERROR") from error
    if not isinstance(found, dict):
        raise ActionError("the answer is none of an Elasticsearch", code="HTTP_ERROR")
    if found.get("timed_out"):
        raise ActionError("Elasticsearch had not looked at everything when the time was over", code="ACTION_TIMEOUT")
    shards = found.get("_shards")
    if isinstance(shards, dict) and shards.get("failed"):
        raise ActionError(f"{shards['failed']} shards of Elasticsearch gave no answer", code="ANSWER_INCOMPLETE", again=True)
    return found


def _hits(found: dict[str, Any]) -> int:
    """How many documents match. Raises ActionError."""
    hits = found.get("count", found.get("hits"))
    total = hits.get("total") if isinstance(hits, dict) else hits
    number = total.get("value") if isinstance(total, dict) else total
    if not isinstance(number, int):
        raise ActionError("the answer does not say how many documents match: is this an Elasticsearch?", code="HTTP_ERROR")
    return number


def _reason(body: bytes) -> str:
    """Why a query was refused, as the server tells it."""
    try:
        error = msgspec.json.decode(body)["error"]
        causes = error.get("root_cause") or [error]
        inner = error.get("caused_by") or {}
        return "; ".join(str(text) for text in (causes[0].get("reason"), inner.get("reason")) if text)[:300]
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError):
        return body[:300].decode("utf-8", "replace").strip()
