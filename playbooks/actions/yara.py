"""``yara`` (CACAO 2.0, 5.13): rules are looked for in files of the target, read by SSH, and in what is sealed as evidence.

What compiles rules and looks through files is handed in: this room knows no detectors. Files are looked through here, nothing is
brought to the host and nothing is run there but reading. What could not be looked through is counted and named; where nothing at
all could be, the command fails, so that "no match" always means that something was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.errors import LiandunError, RuleError, StoreError
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks import yara_text
from playbooks.actions import findings, ssh_host
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.file_paths import whole_paths
from playbooks.actions.host_files import FoundFile, host_files
from playbooks.actions.own import actor_of, cut, inside_only
from playbooks.actions.parameters import read_parameters
from playbooks.actions.place import is_here, there_of
from playbooks.actions.query_parameters import YaraParameters
from playbooks.actions.sealed_files import sealed_files
from playbooks.actions.settings import Settings
from playbooks.actions.system_action import run_number
from playbooks.variables import Value

MOST_LISTED = 20
_MOST_TOLD = 50
_LONGEST_LIST = 48_000
"""Letters of a list as JSON: a variable holds 65,536."""


class RuleMatch(msgspec.Struct, frozen=True):
    """A rule that matches a file. ``strings``: name and place of some of its matches, and the text where the rule itself has it:
    what else a file holds is not told, so a rule cannot read it to whoever wrote it."""

    file: str
    sha256: str
    rule: str
    tags: list[str] = []
    strings: list[tuple[str, int, str]] = []


class RuleMatches(msgspec.Struct, frozen=True):
    """All of them, and the files that could not be looked through to the end, with the reason."""

    matches: list[RuleMatch]
    failed: dict[str, str]


class RuleScan(Protocol):
    """Looks for the rules of a text in files."""

    def names(self, rules: str) -> list[str]:
        """Names of the rules in the text. Raises RuleError where it is none, or does not compile."""
        ...

    def scan(self, rules: str, files: Sequence[tuple[str, bytes]], seconds: float, go_on: Callable[[], object]) -> RuleMatches:
        """What matches, within so many seconds. ``go_on`` is called again and again and may raise. Raises RuleError, StoreError."""
        ...


class Yara:
    """The action. ``database`` and ``key``: where evidence lies, and what opens it; without them only hosts can be read."""

    def __init__(
        self, scan: RuleScan, settings: Settings = Settings(), database: Database | None = None, key: MasterKey | None = None
    ) -> None:
        self._scan = scan
        self._settings = settings
        self._database, self._key = database, key

    def plan(self, request: Request) -> Plan:
        """Which rules, and where. Raises ActionError for what is no rule, and where there is nothing to look through."""
        given, paths = _given(request)
        where, touches = [], []
        if paths:
            hosts = [host.shown() for host in _hosts(request)]
            where.append(f"{hosts[0]}: {', '.join(paths)}"[:500])
            touches += hosts
        if given.incident:
            pieces = ", ".join(str(number) for number in given.evidence if number)
            where.append(f"evidence {pieces} of incident {given.incident}" if pieces else f"evidence of incident {given.incident}")
            touches.append(f"incident {given.incident}")
        return Plan(f"look for {cut(', '.join(self._names(request)), 200)} in {' and in '.join(where)}", tuple(touches))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Look. Raises ActionError."""
        given, paths = _given(request)
        self._names(request)
        files: list[FoundFile] = []
        if paths:
            _hosts(request)
            files += host_files(there_of(request, self._settings, context), paths)
        if given.incident:
            files += self._sealed(request, given, context)
        there = [(one.name, one.octets) for one in files if one.octets is not None]
        unread = {one.name: one.problem for one in files if one.octets is None}
        try:
            found = self._scan.scan(request.command.text(), there, context.left(), context.left)
        except RuleError as error:
            raise _wrong(error) from error
        except StoreError as error:
            raise ActionError(f"the files could not be looked through: {error}", code="SCAN_FAILED") from error
        unread |= found.failed
        if unread and len(unread) >= len(files):
            name, why = next(iter(unread.items()))
            raise ActionError(f"nothing could be looked through: {name[:200]}: {why}", code="NOTHING_READ")
        return findings.values(request, _told(found.matches, len(files) - len(unread), unread))

    def _sealed(self, request: Request, given: YaraParameters, context: Context) -> list[FoundFile]:
        if self._database is None or self._key is None:
            raise inside_only()
        numbers = list(dict.fromkeys(number for number in given.evidence if number))
        reason = f"YARA scan of playbook run {run_number(request)}"
        try:
            return sealed_files(self._database, self._key, actor_of(request), given.incident, numbers, reason, context)
        except (NotFound, Conflict, Denied, Invalid) as error:
            raise ActionError(str(error), code="NOT_FOUND" if isinstance(error, NotFound) else "CONFLICT") from error
        except StoreError as error:
            raise ActionError(str(error), code="STATE_UNAVAILABLE", again=True) from error

    def _names(self, request: Request) -> list[str]:
        try:
            text = request.command.text()
            if problem := yara_text.mistake(text):
                raise RuleError(problem)
            return self._scan.names(text)
        except (LiandunError, ValueError) as error:
            raise _wrong(error) from error


def _told(matches: Sequence[RuleMatch], scanned: int, unread: Mapping[str, str]) -> dict[str, Any]:
    """By the names of parameters.LOOKING; lists are short, numbers count everything."""
    return {
        "matches": len(matches),
        "found": _short([msgspec.to_builtins(one) for one in matches]),
        "rules": _short(list(dict.fromkeys(one.rule for one in matches))[:MOST_LISTED]),
        "files": _short(list(dict.fromkeys(one.file for one in matches))[:MOST_LISTED]),
        "scanned": scanned,
        "not_read": len(unread),
        "unread": _short([{"file": name, "why": why} for name, why in unread.items()]),
    }


def _short(every: Sequence[Any]) -> list[Any]:
    """The first of them, as many as a variable holds."""
    told: list[Any] = []
    letters = 0
    for one in every[:_MOST_TOLD]:
        letters += len(msgspec.json.encode(one))
        if letters > _LONGEST_LIST:
            break
        told.append(one)
    return told


def _hosts(request: Request) -> list[ssh_host.SshHost]:
    if is_here(request):
        hint = "give the step a target of the type ssh"
        raise ActionError("the files of this machine are not for playbooks", hint, code="NOT_ALLOWED")
    return ssh_host.named(request.target)


def _given(request: Request) -> tuple[YaraParameters, list[str]]:
    """The parameters, and the paths among them. Raises ActionError where they are wrong, or name nothing to look through."""
    try:
        given = read_parameters("yara", request.command.more)
    except ValueError as error:
        raise ActionError(f"the parameters of yara are wrong: {error}", code="COMMAND_WRONG") from error
    assert isinstance(given, YaraParameters)
    paths = whole_paths(given.paths)
    if not paths and not given.incident:
        raise ActionError("there is nothing to look through", "name paths of the target, or an incident", code="COMMAND_WRONG")
    if any(given.evidence) and not given.incident:
        raise ActionError("evidence has an incident", "name it beside", code="COMMAND_WRONG")
    return given, paths


def _wrong(error: Exception) -> ActionError:
    return ActionError(f"these are no YARA rules to look for: {error}", code="COMMAND_WRONG")
