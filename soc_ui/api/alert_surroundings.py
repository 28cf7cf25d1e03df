"""``/api/v1/alerts/<id>/processes`` and ``/graph``: what stands around an alert, read from the event store."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Range
from marshmallow import RAISE

from kernel.store.time_limit import within
from operations.alerts.event_graph import RELATIONS, event_graph
from operations.alerts.lineage import process_tree
from soc_ui.alerts.whole_event import look_around
from soc_ui.api.guard import caller, permit
from soc_ui.services import services

SECONDS = 20.0
MOST_MINUTES = 240

alert_surroundings = APIBlueprint("api_alert_surroundings", __name__, url_prefix="/api/v1/alerts", tag="alerts")
Body = dict[str, Any]


class ProcessOut(Schema):
    key = String(required=True)
    parent = String(required=True, metadata={"description": "key of the process that started it"})
    role = String(required=True, metadata={"description": "ancestor, self or child"})
    name = String(required=True)
    executable = String(required=True)
    command_line = String(required=True)
    user = String(required=True)
    pid = Integer(allow_none=True)
    started = String(required=True)
    event_id = String(required=True)
    more = Integer(required=True, metadata={"description": "Children that are not shown"})


class ProcessTreeOut(Schema):
    host = String(required=True)
    by_number = Boolean(required=True, metadata={"description": "Linked by process numbers, for want of lasting ids"})
    processes = List(Nested(ProcessOut), required=True)


class GraphIn(Schema):
    minutes = Integer(load_default=15, validate=Range(1, MOST_MINUTES))


class GraphNodeOut(Schema):
    id = String(required=True)
    kind = String(required=True)
    value = String(required=True)
    main = Boolean(required=True, metadata={"description": "The alert itself is about it"})
    events = Integer(required=True)


class GraphEdgeOut(Schema):
    source = String(required=True)
    target = String(required=True)
    relation = String(required=True, metadata={"description": ", ".join(RELATIONS)})
    events = Integer(required=True)
    first = String(required=True)
    last = String(required=True)


class GraphOut(Schema):
    start = String(required=True)
    end = String(required=True)
    nodes = List(Nested(GraphNodeOut), required=True)
    edges = List(Nested(GraphEdgeOut), required=True)
    events = Integer(required=True, metadata={"description": "Events looked at"})
    cut = Boolean(required=True, metadata={"description": "There is more than is shown"})


@alert_surroundings.get("/<int:alert_id>/processes")
@permit(alert_surroundings, "events.read")
@alert_surroundings.output(ProcessTreeOut)
@alert_surroundings.doc(responses=[404])
def processes(alert_id: int) -> Body:
    """Read the processes around an alert

    Ancestors and what the process started. No processes where the event names none of a host.
    """
    _detail, event = look_around(caller().actor, alert_id, "processes")
    with within(SECONDS):
        tree = process_tree(services().store, event)
    return msgspec.to_builtins(tree) if tree else {"host": "", "by_number": False, "processes": []}


@alert_surroundings.get("/<int:alert_id>/graph")
@permit(alert_surroundings, "events.read")
@alert_surroundings.input(GraphIn, location="query", unknown=RAISE)
@alert_surroundings.output(GraphOut)
@alert_surroundings.doc(responses=[404])
def graph(alert_id: int, query_data: Body) -> Body:
    """Read the graph of events around an alert

    Relations of users, hosts, processes, files, names and addresses in the events of its main entities.
    """
    detail, event = look_around(caller().actor, alert_id, "graph")
    with within(SECONDS):
        found = event_graph(services().store, event, detail.entities, minutes=query_data["minutes"])
    return msgspec.to_builtins(found)  # type: ignore[no-any-return]
