"""``/compliance/<n>/onsite``: interviews and looks on site on a tablet; answers wait there for the network (onsite.js).

The page opens without the network once it was opened with it: a service worker keeps it (onsite-worker.js). It stands at an address
of its own, since a worker has to do with what lies below its folder only.
"""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, request
from werkzeug.wrappers import Response

from compliance.onsite.asking import Question, questions
from compliance.onsite.taking import Answer, Taken, take
from compliance.verdicts import Verdict
from crypto.sm3 import sm3
from operations.errors import Invalid
from soc_ui import access, assets, refusals
from soc_ui.compliance.words import verdict_name
from soc_ui.services import services

VERDICTS = tuple(verdict.value for verdict in Verdict)
MOST_OCTETS = 1 << 20
compliance_onsite = Blueprint("compliance_onsite", __name__)


@compliance_onsite.get("/compliance/<int:system_id>/onsite")
@access.needs("compliance.write")
def page(system_id: int) -> str:
    """All questions on one page, by class: it has to do without the network. ``assisted=1``: those with machine data, too."""
    assisted = request.args.get("assisted") == "1"
    with services().database.read() as session:
        system, asked = questions(session, system_id, assisted=assisted)
    by_class: dict[str, list[Question]] = {}
    for one in asked:
        by_class.setdefault(one.asked.placed.security_class.id, []).append(one)
    return render_template(
        "compliance/onsite.html", system=system, by_class=by_class, assisted=assisted, verdicts=VERDICTS, who=access.me().user_id
    )


@compliance_onsite.post("/compliance/<int:system_id>/onsite")
@access.needs("compliance.write")
def answers(system_id: int) -> Response | tuple[Response, int]:
    """A JSON list of answers; told one by one what became of each. An answer that was taken before is not taken again."""
    try:
        if (request.content_length or 0) > MOST_OCTETS:
            raise Invalid("the answers are too long", "send fewer at once")
        found = msgspec.json.decode(request.get_data(), type=list[Answer])
        done = take(services().database, access.me().actor, system_id, found)
    except (msgspec.DecodeError, Invalid) as error:
        return jsonify({"problem": refusals.translated(str(error))}), 422
    return jsonify([_told(one) for one in done])


@compliance_onsite.get("/compliance/onsite-worker.js")
@access.needs("compliance.write")
def worker() -> Response:
    """The service worker, with the version of what it keeps and for whom: another release, file or person is another one."""
    files = sorted(path.relative_to(assets.ROOT).as_posix() for kind in ("js", "css") for path in (assets.ROOT / kind).iterdir())
    version = sm3("\n".join([services().version, *map(assets.asset, files)]).encode()).hex()[:16]
    code = (assets.ROOT / "js" / "onsite-worker.js").read_text("utf-8")
    head = f'const VERSION = "{version}", WHO = "{access.me().user_id}";\n'
    return Response(head + code, content_type="text/javascript; charset=utf-8")


def _told(one: Taken) -> dict[str, Any]:
    told: dict[str, Any] = {"key": one.key, "state": one.state, "version": one.version, "why": refusals.translated(one.why)}
    if one.now is not None:
        now = one.now
        told["now"] = {"verdict": verdict_name(now.verdict), "reason": now.reason, "by": now.by, "at": now.at}
    return told
