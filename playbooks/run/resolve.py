"""From a command as it is written to a request with values: the last moment before it is carried out (CACAO 2.0, 10.18.2).

How a value is written depends on where it goes. In the start line of an HTTP command it is percent-encoded into one part of the
line; in JSON content it is escaped inside its string; in a script only letters may stand that mean nothing to a shell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote

import msgspec

from playbooks.actions.contract import Failure, Request
from playbooks.extension import options_of
from playbooks.model import Action, Authentication, Command, Party, Playbook
from playbooks.references import the_one
from playbooks.variables import Scope, VariableError, for_json, for_shell, substitute, substitute_in

HTTP = frozenset({"http-api", "openc2-http"})
SCRIPTS = frozenset({"bash", "powershell", "ssh", "caldera-cmd"})
Varying: TypeAlias = MutableMapping[int, bool]
_SAFE = "!$&'()*+,;=:@/?%~-._"
"""What may stand in a request target beside letters and digits (RFC 3986); what a value holds else is percent-encoded."""
_SHORT = 2_048
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
    command = step.commands[number]
    return Request(
        key=key,
        step_id=step_id,
        step_name=step.name,
        command=_command(command, scope, readable) if _varies(command, varying) else command,
        agent_id=step.agent,
        agent=reached if target is None else _party(agent, scope, readable, varying),
        target_id=target_id,
        target=reached,
        authentication=_authentication(playbook, reached, scope, readable),
        out_args=tuple(map(the_one, step.out_args)),
        options=options_of(step),
        cause=cause,
    )


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
    else:
        text = substitute(text, scope, readable, for_shell if command.type in SCRIPTS else None)
    headers = {
        name: [substitute(value, scope, readable, _for_header) for value in values] for name, values in command.headers.items()
    }
    content, content_b64 = command.content, command.content_b64
    if content_b64 and not content:
        content = _as_text(command.body())  # bytes that are no text hold no variables and stay base64
    if content:
        content, content_b64 = substitute(content, scope, readable, _writer(content)), ""
    return msgspec.structs.replace(
        command,
        command=text,
        command_b64="",
        headers=headers,
        content=content,
        content_b64=content_b64,
        more=substitute_in(command.more, scope, readable) if command.more else command.more,
    )


def _start_line(text: str, scope: Scope, readable: frozenset[str] | None) -> str:
    return " ".join(substitute(part, scope, readable, _for_target) for part in text.split())


def _for_target(value: str) -> str:
    if _CONTROL.search(value):
        raise VariableError("a value with control characters cannot stand in a request line")
    return quote(value, safe=_SAFE)


def _for_header(value: str) -> str:
    if _CONTROL.search(value):
        raise VariableError("a value with control characters cannot stand in a header")
    return value


def _writer(content: str) -> Callable[[str], str] | None:
    """In JSON a name can only stand inside a string: there its value is escaped, so that it stays one string."""
    if content.lstrip()[:1] not in ("{", "["):
        return None
    return for_json if (_is_json(content) if len(content) <= _SHORT else _is_json.__wrapped__(content)) else None


@lru_cache(maxsize=2048)
def _is_json(content: str) -> bool:
    try:
        msgspec.json.decode(content)
    except msgspec.DecodeError:
        return False
    return True


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
