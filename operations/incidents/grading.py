"""What class and level an incident may have, with the reasons. Pure; a person decides (operations.incidents.decide).

Level after GB/T 20986-2023 clause 6: importance of the object × loss of business, and the social harm; the higher level counts. The
matrix is data (data/classification.yaml) and marked to be confirmed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from kernel.detection import level_rank
from operations.errors import Invalid
from operations.incidents.catalogue import data

OBJECTS: tuple[str, ...] = ("special", "important", "general")
DEGREES: tuple[str, ...] = ("extreme", "serious", "considerable", "slight")
_LOSS_OF_SEVERITY = {"critical": "serious", "high": "considerable"}


class AlertFacts(msgspec.Struct, frozen=True):
    """What grading reads of an alert."""

    id: int
    rule_id: str
    rule_name: str
    engine: str
    level: str
    tags: tuple[str, ...]


class Place(msgspec.Struct, frozen=True):
    """A zone or asset that the incident concerns; ``importance`` 1 to 5."""

    kind: str  # zone | asset
    name: str
    importance: int


class Reason(msgspec.Struct, frozen=True):
    """One reason; the page tells ``code`` in its language with ``subject`` (tag, word, engine, place, severity) and ``count``."""

    code: str
    subject: str
    count: int = 1


class Suggestion(msgspec.Struct, frozen=True):
    """``class_code`` "" where nothing speaks for one; ``others`` are the next likely; harm is for a person to judge (slight)."""

    class_code: str
    level: int
    object: str
    loss: str
    harm: str = "slight"
    others: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


def level_of(object_: str, loss: str, harm: str) -> int:
    """1 (highest) to 4. Raises Invalid for a word that is none."""
    for field, word, words in (("object", object_, OBJECTS), ("loss", loss, DEGREES), ("harm", harm, DEGREES)):
        if word not in words:
            raise Invalid(f"there is no {field} {word[:32]!r}", f"one of {', '.join(words)}", field=field)
    table = data("classification")
    return min(int(table["matrix"][object_][loss]), int(table["harm"][harm]))


def suggest(alerts: Sequence[AlertFacts], places: Sequence[Place], severity: str) -> Suggestion:
    """The suggestion for an incident with these alerts and places; ``severity`` is its own."""
    votes: Counter[str] = Counter()
    reasons: dict[tuple[str, str], int] = {}
    for alert in alerts:
        code, kind, subject = _class_of(alert)
        votes[code] += 1 + level_rank(alert.level)
        reasons[(kind, subject)] = reasons.get((kind, subject), 0) + 1
    ranked = [code for code, _votes in votes.most_common()]
    object_, why_object = _object(places)
    loss, why_loss = _loss(alerts, severity)
    told = [Reason(kind, subject, count) for (kind, subject), count in sorted(reasons.items(), key=lambda pair: -pair[1])][:6]
    return Suggestion(
        ranked[0] if ranked else "", level_of(object_, loss, "slight"), object_, loss,
        others=tuple(ranked[1:4]), reasons=(*told, why_object, why_loss),
    )  # fmt: skip


def _class_of(alert: AlertFacts) -> tuple[str, str, str]:
    """Class, and what spoke for it: (code, kind of reason, subject)."""
    table = data("suggestions")
    tags = [tag.lower() for tag in alert.tags]
    for entry in table["tags"]:
        for tag in tags:
            if _fits(tag, entry["tag"]):
                return entry["class"], "tag", tag
    text = f"{alert.rule_name} {alert.rule_id}".lower()
    for entry in table["words"]:
        if entry["word"] in text:
            return entry["class"], "word", entry["word"]
    return table["engines"].get(alert.engine, "0803"), "engine", alert.engine


def _object(places: Sequence[Place]) -> tuple[str, Reason]:
    if not places:
        return "general", Reason("place_unknown", "")
    most = max(places, key=lambda place: (place.importance, place.kind == "asset"))
    kind = "special" if most.importance >= 5 else "important" if most.importance >= 3 else "general"
    return kind, Reason(f"{most.kind}_importance", most.name, most.importance)


def _loss(alerts: Sequence[AlertFacts], severity: str) -> tuple[str, Reason]:
    """By technique where one means a loss, else by the severity."""
    best: tuple[int, str, str] | None = None
    for entry in data("suggestions")["losses"]:
        for alert in alerts:
            for tag in alert.tags:
                if _fits(tag.lower(), entry["tag"]) and (best is None or DEGREES.index(entry["loss"]) < best[0]):
                    best = (DEGREES.index(entry["loss"]), entry["loss"], tag.lower())
    if best is not None:
        return best[1], Reason("loss_technique", best[2])
    return _LOSS_OF_SEVERITY.get(severity, "slight"), Reason("loss_severity", severity)


def _fits(tag: str, wanted: str) -> bool:
    """``attack.t1110.001`` fits ``attack.t1110``; ``attack.t0`` stands for every technique of industrial control systems."""
    if wanted == "attack.t0":
        return tag.startswith("attack.t0")
    return tag == wanted or tag.startswith(wanted + ".")
