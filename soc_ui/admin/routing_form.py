"""The form of a target's routing: blocks of conditions as they were typed, as rules, and back.

The last block is always an empty one; a block in which nothing stands is no rule. ``r<n>.`` begins the names of block n.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict

from operations.webhooks.routing import EVERY_DAY, MAX_RULES, MIDNIGHT

_TOO_MUCH = -1
TICKED = ("types", "zones", "organisations", "days")
WRITTEN = ("min_level", "start", "end", "others")


class Block(msgspec.Struct, frozen=True):
    """A rule as it stands in the form. ``others`` are organisations that no zone belongs to, one a line."""

    types: list[str] = []
    zones: list[str] = []
    organisations: list[str] = []
    days: list[str] = []
    min_level: str = ""
    start: str = ""
    end: str = ""
    others: str = ""
    everything: bool = False

    @property
    def is_rule(self) -> bool:
        """Whether something stands in it."""
        return self != Block()


class Filled(msgspec.Struct, frozen=True):
    """The whole form."""

    blocks: list[Block]
    min_level: str
    quiet: Block
    quiet_through: str
    digest: str
    digest_through: str


def typed(form: MultiDict[str, str]) -> Filled:
    """What was typed; blocks that say nothing or are to be removed are left out."""
    count = min(_number(form.get("rules", "")), MAX_RULES + 1)
    blocks = [_block(form, f"r{place}.") for place in range(count) if form.get(f"r{place}.remove") != "on"]
    return Filled(
        [block for block in blocks if block.is_rule],
        form.get("min_level", ""),
        _block(form, "quiet."),
        form.get("quiet.through", ""),
        form.get("digest", "").strip(),
        form.get("digest.through", ""),
    )


def filled(min_level: str, routing: Mapping[str, Any], owners: Sequence[str]) -> Filled:
    """What stands in the form of a target. ``owners`` are the organisations that can be ticked."""
    quiet, digest = routing.get("quiet") or {}, routing.get("digest") or {}
    return Filled(
        [_shown(rule, owners) for rule in routing.get("rules") or []],
        min_level,
        _hours_shown(quiet) if quiet else Block(),
        quiet.get("through", "critical"),
        str(digest.get("minutes", "")),
        digest.get("through", "critical"),
    )


def routing_from(form: Filled) -> dict[str, Any]:
    """Rules, quiet hours and digest that a form asks for; whether they can be is for the service to say."""
    found: dict[str, Any] = {"rules": [_rule(block) for block in form.blocks]}
    quiet = _hours(form.quiet)
    if quiet is not None:
        found["quiet"] = quiet | {"through": form.quiet_through}
    if form.digest:
        found["digest"] = {"minutes": _number(form.digest), "through": form.digest_through}
    return found


def _block(form: MultiDict[str, str], prefix: str) -> Block:
    return Block(
        **{name: list(dict.fromkeys(form.getlist(prefix + name))) for name in TICKED},
        **{name: form.get(prefix + name, "").strip() for name in WRITTEN},
        everything=form.get(prefix + "everything") == "on",
    )


def _shown(rule: Mapping[str, Any], owners: Sequence[str]) -> Block:
    hours = _hours_shown(rule["hours"]) if rule.get("hours") else Block()
    named = rule.get("organisations") or []
    block = msgspec.structs.replace(
        hours,
        types=list(rule.get("types") or []),
        zones=list(rule.get("zones") or []),
        organisations=[one for one in named if one in owners],
        others="\n".join(one for one in named if one not in owners),
        min_level=rule.get("min_level", ""),
    )
    return block if block.is_rule else Block(everything=True)


def _hours_shown(hours: Mapping[str, Any]) -> Block:
    """No day ticked is every day, no time written the whole one."""
    days = [] if len(hours["days"]) == len(EVERY_DAY) else [str(day) for day in hours["days"]]
    whole = bool(days) and hours["start"] == hours["end"]
    return Block(days=days, start="" if whole else hours["start"], end="" if whole else hours["end"])


def _rule(block: Block) -> dict[str, Any]:
    if block.everything:
        return {}
    others = [line.strip() for line in block.others.splitlines() if line.strip()]
    rule: dict[str, Any] = {
        "types": block.types, "zones": block.zones, "min_level": block.min_level,
        "organisations": list(dict.fromkeys([*block.organisations, *others])),
    }  # fmt: skip
    hours = _hours(block)
    return rule if hours is None else rule | {"hours": hours}


def _hours(block: Block) -> dict[str, Any] | None:
    if not (block.start or block.end or block.days):
        return None
    whole = not block.start and not block.end
    return {
        "start": MIDNIGHT if whole else block.start,
        "end": MIDNIGHT if whole else block.end,
        "days": [_number(day) for day in block.days] or list(EVERY_DAY),
    }


def _number(text: str) -> int:
    """_TOO_MUCH for what is no number, which every limit refuses."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else _TOO_MUCH
