"""Checks of Wazuh's security configuration assessment, as its API answers (GET /sca/{agent_id}/checks/{policy_id}): one or a list.

Checks have no moment of their own. Numbers of benchmarks differ by edition, so checks are known by their titles.
"""

from __future__ import annotations

import msgspec

from compliance.importers.contract import MOST_EXCERPT, MOST_RESULTS, Report, ReportError, Said, ToolResult

_SAID: dict[str, Said] = {"passed": "pass", "failed": "fail", "not applicable": "not_applicable", "": "none"}


class _Check(msgspec.Struct, frozen=True):
    id: int
    title: str
    policy_id: str = ""
    result: str | None = ""


class _Items(msgspec.Struct, frozen=True):
    affected_items: list[msgspec.Raw]
    total_affected_items: int


class _Answer(msgspec.Struct, frozen=True):
    data: _Items


def read(octets: bytes) -> Report:
    """Raises ReportError, also where an answer is only a page of it all."""
    try:
        answers = msgspec.json.decode(octets, type=list[_Answer] | _Answer)
        pages = answers if isinstance(answers, list) else [answers]
        checks = {one.id: (one, bytes(raw)) for page in pages for raw in page.data.affected_items for one in [_check(raw)]}
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ReportError(f"this is no answer of the API of Wazuh about checks: {error}") from error
    total = max((page.data.total_affected_items for page in pages), default=0)
    if len(checks) < total or len(checks) > MOST_RESULTS:
        raise ReportError(
            f"the answer has {len(checks)} of {total} checks", "ask for them with limit and offset, and give a list of all"
        )
    policies = ", ".join(dict.fromkeys(one.policy_id for one, _ in checks.values()))
    return Report(f"Wazuh {policies}"[:200], tuple(_result(one, raw) for one, raw in checks.values()))


def _check(raw: msgspec.Raw) -> _Check:
    return msgspec.json.decode(raw, type=_Check)


def _result(one: _Check, raw: bytes) -> ToolResult:
    said = _SAID.get((one.result or "").lower(), "error")
    return ToolResult(
        f"{one.policy_id}:{one.id}"[:200], one.title[:300], said, one.policy_id, raw.decode("utf-8", "replace")[:MOST_EXCERPT]
    )
