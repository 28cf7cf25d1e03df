"""The section "Packets" of an alert's page, which comes when it is scrolled to: facts, the dissected table, layers, file, evidence.

Each part is a page of its own too, for browsers without scripts. Packets are hostile: they reach pages through the templates only.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from collectors.packet_dissection import TsharkMissing
from collectors.packet_helper import HelperFailed
from kernel.event import timestamp_from_micros
from soc_ui import access
from soc_ui.alerts import packets
from soc_ui.download import as_attachment
from soc_ui.locale import _
from soc_ui.services import services

PCAP = "application/vnd.tcpdump.pcap"
alert_packets = Blueprint("alert_packets", __name__, url_prefix="/alerts/<int:alert_id>")


@alert_packets.get("/packets")
@access.needs("alerts.read")
def facts(alert_id: int) -> str:
    """How many packets there are and from when; none of their content."""
    try:
        looked = packets.look(alert_id)
    except HelperFailed as error:
        return _page("packets_facts", alert_id, problem=_words(error))
    return _page("packets_facts", alert_id, looked=looked, facts=looked.facts, cut=_cut(looked.facts.cut))


@alert_packets.get("/packets/table")
@access.needs("events.read")
def table(alert_id: int) -> str:
    """A row for each packet; that somebody looked is written down."""
    try:
        looked, found = packets.table(access.me().actor, alert_id)
    except HelperFailed as error:
        return _page("packets_table", alert_id, problem=_words(error))
    except TsharkMissing:
        missing = _("Looking into packets needs tshark, which this machine does not have: apt install tshark")
        return _page("packets_table", alert_id, problem=missing)
    return _page("packets_table", alert_id, looked=looked, table=found, moment=_moment)


@alert_packets.get("/packets/<int:number>")
@access.needs("events.read")
def layers(alert_id: int, number: int) -> str:
    """All layers of one packet."""
    try:
        _looked, found = packets.layers(access.me().actor, alert_id, number)
    except (HelperFailed, TsharkMissing) as error:
        return _page("packets_layers", alert_id, number=number, problem=_words(error))
    return _page("packets_layers", alert_id, number=number, layers=found)


@alert_packets.get("/packets.pcap")
@access.needs("events.export")
def download(alert_id: int) -> Response:
    """The file; who took it is written to the audit trail first."""
    looked, octets = packets.export(access.me().actor, alert_id)
    answer = as_attachment(octets, looked.name, PCAP)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@alert_packets.post("/packets/evidence")
@access.needs("incidents.write")
def keep(alert_id: int) -> Response:
    """Sealed into the incident of the alert."""
    key = services().master_key
    if key is None:
        abort(503)
    incident_id = packets.keep_as_evidence(access.me().actor, alert_id, request.form.get("reason", ""), key)
    return redirect(url_for("incidents.tab", incident_id=incident_id, name="evidence", done="incident"))


def _page(part: str, alert_id: int, **context: Any) -> str:
    """The part alone for htmx, else within a page."""
    own = f"alerts/{part}.html"
    name = own if request.headers.get("HX-Request") else "alerts/packets_page.html"
    return render_template(name, part=own, alert_id=alert_id, **context)


def _words(error: HelperFailed | TsharkMissing) -> str:
    if isinstance(error, HelperFailed) and error.late:
        return _("The packets took too long to read; nothing is shown. The file can still be taken.")
    return error.message


def _cut(bound: str) -> str:
    """What a slice was cut off by, for people."""
    names = {
        "files": _("so many captures that not all were searched"),
        "read": _("so large captures that not all were searched"),
        "packets": _("more packets than one slice may have"),
        "octets": _("more octets than one slice may have"),
        "seconds": _("the search took too long"),
    }
    return names.get(bound, "")


def _moment(text: str) -> str:
    """``@timestamp`` text of tshark's seconds since the epoch; "" for what is none."""
    seconds, _dot, fraction = text.partition(".")
    if not (seconds.isdecimal() and seconds.isascii() and len(seconds) < 12):
        return ""
    micros = fraction[:6].ljust(6, "0")
    return timestamp_from_micros(int(seconds) * 1_000_000 + (int(micros) if micros.isascii() and micros.isdecimal() else 0))
