"""``openc2-http`` (CACAO 2.0, 5.9): an OpenC2 command as the body of a POST (OpenC2 over HTTPS 1.1).

The answer is an OpenC2 response: its own ``status`` decides, beside that of HTTP. 102 (processing) and 200 are success.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.http_api import HttpApi, outputs, start_line
from playbooks.variables import Value

_KIND = "application/openc2+json;version=1.0"


class OpenC2Http(HttpApi):
    """The action."""

    def plan(self, request: Request) -> Plan:
        return super().plan(_completed(request))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        answer = self.answer(_completed(request), context)
        said = _status(answer.body)
        if not 200 <= answer.status < 300 or said not in (None, 102, 200):
            told = answer.body[:300].decode("utf-8", "replace")
            again = answer.status >= 500 or said in (500, 503)
            raise ActionError(f"the actuator answered {said or answer.status}: {told}", code="OPENC2_ERROR", again=again)
        return outputs(request, answer)


def _completed(request: Request) -> Request:
    command = request.command
    if start_line(command.command).method != "POST":
        raise ActionError("an OpenC2 command is sent by POST", code="COMMAND_WRONG")
    if any(name.lower() == "content-type" for name in command.headers):
        return request
    headers = {**command.headers, "Content-Type": [_KIND], "Accept": [_KIND]}
    return msgspec.structs.replace(request, command=msgspec.structs.replace(command, headers=headers))


def _status(body: bytes) -> int | None:
    """The status of an OpenC2 response, at its top or in the message's body (OpenC2 language 1.0, 3.3.2)."""
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    for path in ((), ("body", "openc2", "response")):
        inner = content
        for name in path:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("status"), int):
            return int(inner["status"])
    return None
