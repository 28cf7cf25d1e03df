"""The filters of the list of incidents, all of them in the URL."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from kernel.detection import LEVELS
from operations.incidents.listing import SORTS
from operations.incidents.phases import OPEN, PHASES
from operations.incidents.schema import IncidentFilter
from soc_ui.alerts.filters import MAX_TEXT, MAX_VALUES, Links

NAMES = ("phase", "level", "severity", "class_code", "assignee", "zone", "clock", "drill", "q")
PATH = "/incidents"


def read(args: MultiDict[str, str]) -> IncidentFilter:
    """The filter that the URL asks for; what is no value is left out. Without any parameter: everything open."""
    if not args:
        return IncidentFilter(phase=OPEN)
    chosen = {name: tuple(dict.fromkeys(value for value in args.getlist(name) if value))[:MAX_VALUES] for name in NAMES}
    drill = {"1": True, "0": False}.get(args.get("drill", ""))
    return IncidentFilter(
        phase=tuple(value for value in chosen["phase"] if value in PHASES),
        level=tuple(int(value) for value in chosen["level"] if value in ("0", "1", "2", "3", "4")),
        severity=tuple(value for value in chosen["severity"] if value in LEVELS),
        class_code=chosen["class_code"],
        assignee=chosen["assignee"],
        zone=chosen["zone"],
        clock=args.get("clock", "") if args.get("clock") in ("soon", "overdue") else "",
        drill=drill,
        text=args.get("q", "")[:MAX_TEXT],
    )


def sort(args: MultiDict[str, str]) -> str:
    """The order that the URL asks for."""
    return args.get("sort", "") if args.get("sort") in SORTS else "newest"


def links(args: MultiDict[str, str]) -> Links:
    """URLs that differ from this one by a filter; the bare address means everything open, so that is spelt out first."""
    if not args:
        args = MultiDict([("phase", phase) for phase in OPEN])
    return Links(PATH, args, NAMES)
