"""``sigma`` (CACAO 2.0, 5.10): a Sigma rule is looked for in the events that the platform holds.

What compiles rules and looks through events is handed in: this room knows no detectors. Given back are the number of matches and
short lists; an event store that could not be read as a whole is a failure, never a smaller number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from kernel.errors import LiandunError, QueryError, RuleError, StoreError
from kernel.event import parse_timestamp, timestamp
from playbooks.actions import findings
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.own import cut
from playbooks.actions.parameters import read_parameters
from playbooks.actions.query_parameters import SigmaParameters
from playbooks.variables import Value

STORE = "event store"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*", re.DOTALL)


class RuleHunt(Protocol):
    """Looks for the rules of a text."""

    def titles(self, rule: str) -> list[str]:
        """Names of the rules in the text. Raises RuleError where they cannot be looked for."""
        ...

    def find(self, rule: str, start: str, end: str, go_on: Callable[[], object]) -> Mapping[str, Any]:
        """What is found from ``start`` until ``end`` (@timestamp texts), by the names of parameters.LOOKING. ``go_on`` is called
        again and again and may raise. Raises RuleError, StoreError, QueryError."""
        ...


class Sigma:
    """The action."""

    def __init__(self, hunt: RuleHunt) -> None:
        self._hunt = hunt

    def plan(self, request: Request) -> Plan:
        """Which rules, and how far back. Raises ActionError for what is no rule."""
        given = _given(request)
        if given.until:
            _moment(given.until)
        titles = self._titles(request)
        span = f"in the {given.hours} h before {given.until or 'now'}"
        return Plan(f"look for {cut(', '.join(titles), 200)} {span}", (STORE,))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Look. Raises ActionError."""
        given = _given(request)
        self._titles(request)
        end = _moment(given.until) if given.until else datetime.now(UTC)
        start = timestamp(end - timedelta(hours=given.hours))
        try:
            found = self._hunt.find(request.command.text(), start, timestamp(end), context.left)
        except ActionError:
            raise
        except RuleError as error:
            raise _wrong(error) from error
        except QueryError as error:
            raise ActionError(f"the event store gave up: {error}", code="STORE_FAILED") from error
        except StoreError as error:
            raise ActionError(f"the event store cannot be read: {error}", code="STORE_FAILED", again=True) from error
        return findings.values(request, found)

    def _titles(self, request: Request) -> list[str]:
        try:
            return self._hunt.titles(request.command.text())
        except (LiandunError, ValueError) as error:
            raise _wrong(error) from error


def _wrong(error: Exception) -> ActionError:
    return ActionError(f"this is no Sigma rule to look for: {error}", code="COMMAND_WRONG")


def _given(request: Request) -> SigmaParameters:
    try:
        given = read_parameters("sigma", request.command.more)
    except ValueError as error:
        raise ActionError(f"the parameters of sigma are wrong: {error}", code="COMMAND_WRONG") from error
    assert isinstance(given, SigmaParameters)
    return given


def _moment(text: str) -> datetime:
    found = parse_timestamp(text) if _DATE.fullmatch(text) else None
    if found is None:
        raise ActionError(f"{text[:60]!r} is no time", "write 2026-11-27T08:00:00Z", code="COMMAND_WRONG")
    return datetime.fromisoformat(found)
