"""From a command as it is written to a request with values: the last moment before it is carried out (CACAO 2.0, 10.18.2).

How a value is written depends on where it goes. In the request target of an HTTP command it is percent-encoded into one part,
unless it is the whole target; in a body it is written as the body needs it (playbooks.bodies), in a query or rule as its language
needs it (playbooks.query_texts); in a script only letters may stand that mean nothing to a shell. What only people read goes on
with a value that is not known; everywhere else the command fails.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import TypeAlias
from urllib.parse import quote, unquote

import msgspec

from playbooks import bodies, query_texts
from playbooks.actions.contract import Failure, Request
from playbooks.actions.parameters import LOOKING, PROPERTY, words_of
from playbooks.extension import Options, options_of
from playbooks.model import Action, Authentication, Command, Json, Party, Playbook
from playbooks.references import references, the_one
from playbooks.variables import Scope, VariableError, for_shell, in_words, substitute, substitute_in

HTTP = frozenset({"http-api", "openc2-http"})
SCRIPTS = frozenset({"bash", "powershell", "ssh", "caldera-cmd"})
Varying: TypeAlias = MutableMapping[int, bool]
_SAFE = "!$&'()*+,;=:@/?%~-._"
"""What may stand in a whole request target beside letters and digits (RFC 3986); what a value holds else is percent-encoded."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def request_for(
    playbook: Playbook,
    step_id: str,
    step: Action,
    place: tuple[int, str],
    scope: Scope,
    key: str,
    cause: Failure | None = None,
    varying: Varying | None = None,
) -> Request:
    """The request of command and target ``place`` (number, target id or "") of a step. ``scope`` is the step's own.

    varying  remembers over the calls of one playbook which of its parts hold variables at all

    Raises VariableError, ExtensionError, or ValueError where base64 cannot be decoded.
    """
    number, target_id = place
    readable = frozenset((*map(the_one, step.in_args), *step.step_variables)) if step.in_args else None
    varying = {} if varying is None else varying
    agent = playbook.agent_definitions.get(step.agent)
    target = playbook.target_definitions.get(target_id) or playbook.agent_definitions.get(target_id)
    reached = _party(target or agent, scope, readable, varying)
    command, options = step.commands[number], options_of(step)
    written = _command(command, scope, readable) if _varies(command, varying) else command
    return Request(
        key=key,
        step_id=step_id,
        step_name=step.name,
        command=_told(written, options, scope, readable) if command.type in LOOKING else written,
        agent_id=step.agent,
        agent=reached if target is None else _party(agent, scope, readable, varying),
        target_id=target_id,
        target=reached,
        authentication=_authentication(playbook, reached, scope, readable),
        out_args=tuple(map(the_one, step.out_args)),
        options=options,
        cause=cause,
    )


def _told(command: Command, options: Options, scope: Scope, readable: frozenset[str] | None) -> Command:
    """A command of the standard with the parameters that our extension has for its kind, where ours have theirs."""
    told = options.parameters.get(command.type, {})
    given = substitute_in(told, scope, readable)
    if command.type == "elastic" and isinstance(index := told.get("index"), str):
        given["index"] = query_texts.index_filled(index, scope, readable)
    return msgspec.structs.replace(command, more={PROPERTY: given} if given else {})


def _varies(part: Command | Party, varying: Varying) -> bool:
    """Whether there is anything to replace in a part of the playbook; parts live as long as the playbook, so their id names
    them."""
    known = varying.get(id(part))
    if known is None:
        encoded = isinstance(part, Command) and bool(part.command_b64 or part.content_b64)
        known = varying[id(part)] = encoded or b":value" in msgspec.json.encode(part)
    return known


def _command(command: Command, scope: Scope, readable: frozenset[str] | None) -> Command:
    text = command.text() if command.command or command.command_b64 else ""
    if command.type in HTTP:
        text = _start_line(text, scope, readable)
    elif command.type in query_texts.KINDS:
        text = query_texts.filled(command.type, text, scope, readable)
    elif command.type == "manual":
        text = in_words(text, scope, readable)
    else:
        text = substitute(text, scope, readable, for_shell if command.type in SCRIPTS else None)
    headers = {
        name: [substitute(value, scope, readable, _for_header) for value in values] for name, values in command.headers.items()
    }
    content, content_b64 = command.content, command.content_b64
    if content_b64 and not content:
        content = _as_text(command.body())  # bytes that are no text hold no variables and stay base64
    if content:
        content, content_b64 = _content(command.type, content, headers, scope, readable), ""
    return msgspec.structs.replace(
        command,
        command=text,
        command_b64="",
        headers=headers,
        content=content,
        content_b64=content_b64,
        more=_more(command, scope, readable) if command.more else command.more,
    )


def _more(command: Command, scope: Scope, readable: frozenset[str] | None) -> Json:
    """Properties beyond the standard's; parameters of our own commands that are words for people are put in as such."""
    given, words = command.more.get(PROPERTY), words_of(command.type)
    if not words or not isinstance(given, dict):
        return substitute_in(command.more, scope, readable)  # type: ignore[no-any-return]
    told = {
        name: in_words(value, scope, readable)
        if name in words and isinstance(value, str)
        else substitute_in(value, scope, readable)
        for name, value in given.items()
    }
    return {**substitute_in({**command.more, PROPERTY: {}}, scope, readable), PROPERTY: told}


def _start_line(text: str, scope: Scope, readable: frozenset[str] | None) -> str:
    return " ".join(_word(part, scope, readable) for part in text.split())


def _word(template: str, scope: Scope, readable: frozenset[str] | None) -> str:
    """A word of the start line with its values. One that is a value as a whole keeps its structure, but does not climb."""
    whole = [(one.start, one.end) for one in references(template)] == [(0, len(template))]
    word = substitute(template, scope, readable, _for_whole if whole else _for_part)
    if word != template and _climbs(word):
        raise VariableError("with these values the path has dot segments", "a value cannot lead to another path")
    return word


def _for_whole(value: str) -> str:
    if not value.strip():
        raise VariableError("an empty value cannot be a word of the request line")
    return quote(_printable(value), safe=_SAFE)


def _for_part(value: str) -> str:
    return quote(_printable(value), safe="")


def _printable(value: str) -> str:
    if _CONTROL.search(value):
        raise VariableError("a value with control characters cannot stand in a request line")
    return value


def _climbs(target: str) -> bool:
    """Whether a path has dot segments (RFC 3986, 3.3), as the most generous of servers would read it: decoded before it is divided,
    a backslash like a slash, and without the parameters of a segment.
    """
    path = target.partition("?")[0].partition("#")[0]
    segments = re.split(r"[/\\]", unquote(path))
    return any(segment.partition(";")[0] in (".", "..") for segment in segments)


def _for_header(value: str) -> str:
    if _CONTROL.search(value):
        raise VariableError("a value with control characters cannot stand in a header")
    return value


def _content(kind: str, content: str, headers: dict[str, list[str]], scope: Scope, readable: frozenset[str] | None) -> str:
    """The body with its values. What only people read (commands that are no HTTP) need not be JSON where it begins so."""
    kinds = bodies.kinds_of(headers)
    fill = in_words if kind == "manual" else substitute
    if kind not in HTTP and not bodies.is_json(content):
        return fill(content, scope, readable)
    written = fill(content, scope, readable, bodies.writer(content, kinds))
    if written != content:
        bodies.check_result(written, kinds)
    return written


def _as_text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _party(party: Party | None, scope: Scope, readable: frozenset[str] | None, varying: Varying) -> Party | None:
    if party is None or not _varies(party, varying):
        return party
    return msgspec.structs.replace(
        party,
        address=substitute_in(party.address, scope, readable),
        port=substitute(party.port, scope, readable),
        name=substitute(party.name, scope, readable),
        contact=substitute_in(party.contact, scope, readable),
        location=substitute_in(party.location, scope, readable),
    )


def _authentication(
    playbook: Playbook, party: Party | None, scope: Scope, readable: frozenset[str] | None
) -> Authentication | None:
    if party is None or not party.authentication_info:
        return None
    found = playbook.authentication_info_definitions.get(party.authentication_info)
    if found is None:
        raise VariableError(f"the authentication {party.authentication_info} is not defined")
    return msgspec.structs.replace(
        found,
        **{
            name: substitute(getattr(found, name), scope, readable)
            for name in ("user_id", "username", "password", "oauth_header", "token", "kms_key_identifier")
        },
    )
