"""What stands around an alert, made when somebody opens it: the tree of processes and the graph of its events.

Both read events, which hold personal data: each look is in the audit trail, like a search.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, render_template, request, url_for

from kernel.errors import QueryError
from kernel.store.time_limit import within
from operations.alerts.event_graph import EventGraph, GraphNode, event_graph
from operations.alerts.lineage import Process, ProcessTree, process_tree
from operations.alerts.schema import AlertDetail
from soc_ui import access
from soc_ui.alerts.whole_event import look_around
from soc_ui.event_view import pivot
from soc_ui.locale import _
from soc_ui.services import services

SECONDS = 20.0
MINUTES = (5, 15, 60, 240)
DEFAULT_MINUTES = 15
COLUMN, LINE = 185, 54  # pixels between generations, and between processes of one
_FIELD = {
    "host": "host.name", "user": "user.name", "ip": "source.ip", "process": "process.executable", "file": "file.path",
    "domain": "dns.question.name",
}  # fmt: skip

alert_surroundings = Blueprint("alert_surroundings", __name__)


@alert_surroundings.get("/alerts/<int:alert_id>/processes")
@access.needs("events.read")
def processes(alert_id: int) -> str:
    """The tree of processes, as a part of the alert's page and as a page of its own."""
    detail, event = look_around(access.me().actor, alert_id, "processes")
    tree, problem = None, None
    try:
        with within(SECONDS):
            tree = process_tree(services().store, event)
    except QueryError as error:
        problem = error
    return _part(
        "alerts/processes.html", detail, tree=tree, problem=problem, drawing=json.dumps(tree_drawing(tree)) if tree else ""
    )


@alert_surroundings.get("/alerts/<int:alert_id>/graph")
@access.needs("events.read")
def graph(alert_id: int) -> str:
    """The graph of the events ``minutes`` before and after, as a part of the alert's page and as a page of its own."""
    minutes = request.args.get("minutes", DEFAULT_MINUTES, int)
    minutes = minutes if minutes in MINUTES else DEFAULT_MINUTES
    detail, event = look_around(access.me().actor, alert_id, "graph")
    found, problem = None, None
    try:
        with within(SECONDS):
            found = event_graph(services().store, event, detail.entities, minutes=minutes)
    except QueryError as error:
        problem = error
    return _part(
        "alerts/graph.html", detail, graph=found, problem=problem, minutes=minutes, choices=MINUTES, links=node_links,
        names=relation_names(), drawing=json.dumps(graph_drawing(found)) if found else "",
    )  # fmt: skip


def node_links(node: GraphNode) -> list[tuple[str, str]]:
    """Where one can go from an entity: text and address."""
    links = []
    if node.kind in _FIELD:
        links.append((_("Events with this value"), pivot(_FIELD[node.kind], node.value, last="7d")))
    links.append((_("Alerts about it"), url_for("alerts.queue", entity=f"{node.kind}:{node.value}")))
    return links


def relation_names() -> dict[str, str]:
    """What an edge says."""
    return {
        "acts_on": _("acts on"),
        "runs": _("runs the program"),
        "starts": _("starts"),
        "touches": _("writes or opens"),
        "asks_for": _("asks for"),
        "talks_to": _("talks to"),
        "calls": _("connects to"),
        "has_address": _("has the address"),
    }


def tree_drawing(tree: ProcessTree) -> dict[str, Any]:
    """Nodes with their places, from left to right: each parent half-way between its first and its last child."""
    children: dict[str, list[Process]] = {}
    for process in tree.processes:
        children.setdefault(process.parent, []).append(process)
    places: dict[str, tuple[int, float]] = {}
    free = 0.0

    def place(process: Process, depth: int) -> float:
        nonlocal free
        below = [place(child, depth + 1) for child in children.get(process.key, [])]
        if below:
            height = (below[0] + below[-1]) / 2
        else:
            height, free = free, free + 1
        places[process.key] = (depth, height)
        return height

    for root in children.get("", []):
        place(root, 0)
    nodes = [
        {
            "id": one.key,
            "label": one.name,
            "detail": one.command_line or one.executable,
            "role": one.role,
            "kind": "process",
            "links": [[_("Show the event"), url_for("hunt.event", event_id=one.event_id, near=one.started)]]
            if one.event_id
            else [],
            "x": places[one.key][0] * COLUMN,
            "y": places[one.key][1] * LINE,
        }
        for one in tree.processes
        if one.key in places
    ]
    edges = [{"source": one.parent, "target": one.key} for one in tree.processes if one.parent in places and one.key in places]
    return {"layout": "preset", "nodes": nodes, "edges": edges}


def _start_link(process: Process) -> list[list[str]]:
    if not process.event_id:
        return []
    return [[_("Show the event"), url_for("hunt.event", event_id=process.event_id, near=process.started)]]


def graph_drawing(found: EventGraph) -> dict[str, Any]:
    """Nodes and edges for the drawing; the browser finds their places."""
    names = relation_names()
    nodes = [
        {
            "id": node.id,
            "label": node.value.replace("\\", "/").rsplit("/", 1)[-1] if node.kind in ("process", "file") else node.value,
            "detail": node.value,
            "role": "self" if node.main else "other",
            "kind": node.kind,
            "links": [list(link) for link in node_links(node)],
        }
        for node in found.nodes
    ]
    edges = [
        {"source": edge.source, "target": edge.target, "label": f"{names[edge.relation]} ×{edge.events}", "events": edge.events}
        for edge in found.edges
    ]
    return {"layout": "cose", "nodes": nodes, "edges": edges}


def _part(template: str, detail: AlertDetail, **context: Any) -> str:
    frame = "alerts/around_part.html" if request.headers.get("HX-Request") else "alerts/around_page.html"
    return render_template(template, frame=frame, detail=detail, alert=detail.alert, **context)
