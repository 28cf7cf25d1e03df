"""What levels, states, steps and texts of warnings are called in the language of the page."""

from __future__ import annotations

import re

from flask import Flask

from kernel.errors import LiandunError
from operations.errors import Invalid
from soc_ui.locale import _

_BARE = (r"at most (?P<n>\d+) characters", r"this must not be empty")
"""Refusals that do not name their field."""


def level_name(level: str) -> str:
    """The colour with its class, e.g. 橙色（Ⅱ级）: never the colour of the page alone."""
    names = {"red": _("Red (I)"), "orange": _("Orange (II)"), "yellow": _("Yellow (III)"), "blue": _("Blue (IV)")}
    return names.get(level, level)


def level_word(level: str) -> str:
    """The colour alone, for tables and buttons."""
    return {"red": _("Red"), "orange": _("Orange"), "yellow": _("Yellow"), "blue": _("Blue")}.get(level, level)


def level_letter(level: str) -> str:
    """The sign in the shape of the level: 红, 橙, 黄, 蓝."""
    letters = {"red": _("colour|R"), "orange": _("colour|O"), "yellow": _("colour|Y"), "blue": _("colour|B")}
    return letters.get(level, "?").removeprefix("colour|")


def status_name(status: str) -> str:
    """Where a warning stands in its life."""
    names = {
        "draft": _("Draft"),
        "submitted": _("To be approved"),
        "approved": _("Approved"),
        "published": _("Published"),
        "lifted": _("Lifted"),
        "discarded": _("Thrown away"),
    }
    return names.get(status, status)


def source_name(source: str) -> str:
    """Where a draft came from."""
    return {
        "hand": _("By hand"),
        "alert": _("From an alert"),
        "pattern": _("By itself, from alerts"),
        "advisory": _("From an advisory"),
    }.get(source, source)


def importance_name(importance: str) -> str:
    """The first factor of the level."""
    names = {"special": _("Specially important"), "important": _("Important"), "general": _("Of ordinary importance")}
    return names.get(importance, importance)


def harm_name(harm: str) -> str:
    """The second factor of the level."""
    names = {"extreme": _("Extremely severe"), "severe": _("Severe"), "large": _("Large"), "general": _("Ordinary")}
    return names.get(harm, harm)


def field_name(field: str) -> str:
    """A field of a warning or of a setting."""
    names = {
        "title": _("Title"),
        "importance": _("Importance of the object"),
        "harm": _("Possible harm"),
        "level": _("Level"),
        "nature": _("Nature of the event"),
        "threat": _("Mode of threat"),
        "extent": _("Extent"),
        "objects": _("Objects concerned"),
        "effect": _("Degree of effect"),
        "measures": _("Countermeasures"),
        "organisations": _("Receivers"),
        "zones": _("Zones"),
        "number": _("Number"),
        "year": _("Year"),
        "note": _("Note"),
        "reason": _("Reason"),
        "comment": _("Comment"),
        "feedback": _("Feedback"),
        "source": _("Where the values come from"),
        "pattern": _("Pattern"),
    }
    return names.get(field, field)


def act_name(act: str) -> str:
    """An entry of the history."""
    names = {
        "create": _("Drafted"),
        "edit": _("Edited"),
        "submit": _("Submitted for approval"),
        "approve": _("Approved"),
        "return": _("Sent back"),
        "publish": _("Published"),
        "adjust": _("Level adjusted"),
        "lift": _("Lifted"),
        "discard": _("Thrown away"),
        "receive": _("Signed for"),
        "feedback": _("Feedback given"),
    }
    return names.get(act, act)


def step_name(step: str) -> str:
    """A step that an organisation owes."""
    return {"receipt": _("Receipt"), "feedback": _("Feedback")}.get(step, step)


def table_name(name: str) -> str:
    """A table of the site."""
    names = {
        "matrix": _("Levels: importance of the object and possible harm"),
        "deadlines": _("Deadlines of receipt and feedback"),
        "patterns": _("When alerts draft a warning by themselves"),
        "advisories": _("When entries of KEV draft a warning by themselves"),
    }
    return names.get(name, name)


def explain(error: LiandunError) -> str:
    """Why something was refused, in the language of the page; what is not known here stays as it is."""
    for pattern, text in _refusals():
        match = re.fullmatch(pattern, error.message)
        if match:
            values = match.groupdict()
            if "field" in values:
                values["field"] = field_name(values["field"])
            told = text % values if values else text
            bare = isinstance(error, Invalid) and error.field and pattern in _BARE
            return f"{field_name(error.field)}: {told}" if bare else told
    return str(error)


def _refusals() -> list[tuple[str, str]]:
    """What operations.warnings says, as patterns whose groups fill the places of our words."""
    stale = _("Somebody else changed this warning in the meantime; here is how it stands now. Decide again.")
    return [
        (r"warning \d+ was changed by somebody else .*", stale),
        (r"the warning is \w+; this needs one that is .*", stale),
        (r"the warning was adjusted in the meantime", _("The warning was adjusted in the meantime: read the new edition.")),
        (r"this table was changed by somebody else", _("Somebody else changed this table in the meantime; here is how it is now.")),
        (
            r"who wrote a warning does not approve it",
            _("Who wrote in a warning does not approve it. Ask a second person."),
        ),
        (
            r"(?P<field>\w+) is still empty",
            _("%(field)s: still empty. A warning says nature, mode of threat, extent, objects, effect and countermeasures."),
        ),
        (r"nobody is chosen to receive it", _("Nobody is chosen to receive it: choose organisations or zones.")),
        (r"nobody would receive it", _("Nobody would receive it: choose an organisation, or a zone that has an owner.")),
        (r"the zone plan does not know (?P<name>.*)", _("The zone plan does not know %(name)s.")),
        (r"at most (?P<n>\d+) of a kind", _("At most %(n)s of a kind.")),
        (r"at most (?P<n>\d+) characters", _("At most %(n)s characters.")),
        (r"this must not be empty", _("A text that is needed is empty.")),
        (r"warning (?P<n>\d+) of this advisory is open", _("Warning %(n)s of this advisory is open: work on that one.")),
        (r"one of (?P<names>.+)", _("One of %(names)s.")),
        (r"least is a number between (?P<least>\d+) and (?P<most>\d+)", _("A number between %(least)s and %(most)s.")),
        (r"the level stays the same", _("The level stays the same: an adjustment raises or lowers it.")),
        (r"(?P<who>.+) has signed for (?P<name>.+) already", _("%(who)s has signed for %(name)s already.")),
        (r"nobody has signed for (?P<name>.+) yet", _("Nobody has signed for %(name)s yet: sign first.")),
        (r"(?P<who>.+) has given feedback for (?P<name>.+) already", _("%(who)s has given feedback for %(name)s already.")),
        (
            r"say where the values come from, in at most (?P<n>\d+) characters",
            _("Say where the values come from, in at most %(n)s characters."),
        ),
        (r"more harm cannot give a lower level", _("More harm cannot give a lower level.")),
        (r"a more important object cannot give a lower level", _("A more important object cannot give a lower level.")),
        (r"hours lie between (?P<least>\S+) and (?P<most>\S+)", _("Hours lie between %(least)s and %(most)s.")),
        (r"feedback cannot be due before the receipt", _("Feedback cannot be due before the receipt.")),
        (
            r"(?P<key>zones|indicator_zones|violations) is a number between (?P<least>\d+) and (?P<most>\d+)",
            _("%(key)s: a number between %(least)s and %(most)s."),
        ),
    ]


def install(app: Flask) -> None:
    """Gives templates the names, as ``warning_…()``."""
    app.jinja_env.globals.update(
        warning_level=level_name,
        warning_word=level_word,
        warning_letter=level_letter,
        warning_status=status_name,
        warning_source=source_name,
        warning_importance=importance_name,
        warning_harm=harm_name,
        warning_field=field_name,
        warning_act=act_name,
        warning_step=step_name,
        warning_table=table_name,
    )
