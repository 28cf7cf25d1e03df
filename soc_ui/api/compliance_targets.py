"""``/api/v1/compliance/targets``: which object is looked at daily, by which way in, and what came of it last.

A target names secrets, and never gives one out.
"""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from compliance.probing import bringing, keeping, service
from compliance.probing.schema import TargetDraft, TargetFilter, TargetRecord
from crypto.secret import MasterKey
from soc_ui.api import compliance_target_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Paging
from soc_ui.services import services

compliance_targets = APIBlueprint("api_compliance_targets", __name__, url_prefix="/api/v1/compliance/targets", tag="compliance")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]
NEEDED = "compliance.targets"


@compliance_targets.get("")
@permit(compliance_targets, NEEDED)
@compliance_targets.input(schemas.TargetListIn, location="query", unknown=RAISE)
@compliance_targets.output(schemas.TargetPageOut)
@compliance_targets.doc(responses=[404])
def list_targets(query_data: Body) -> Body:
    """List targets of daily probes, by number"""
    where = TargetFilter(query_data["system"], query_data["failed"])
    with services().database.read() as session:
        found, cursor = service.page(session, where, limit=query_data["limit"], cursor=query_data["cursor"])
    return {"targets": msgspec.to_builtins(found), "next_cursor": cursor}


@compliance_targets.post("")
@permit(compliance_targets, NEEDED)
@compliance_targets.input(schemas.TargetIn)
@compliance_targets.output(schemas.TargetOut, status_code=201)
@compliance_targets.doc(responses=[404, 409])
def add_target(json_data: Body) -> Answer:
    """Look at an object daily, from now on

    Where a target leads to an address, or takes a secret along (ssh, tls, postgresql), this needs a session: no key names them.
    """
    with services().database.write() as session:
        return _told(service.add(session, caller(), TargetDraft(**json_data)), 201)


@compliance_targets.get("/<int:target_id>")
@permit(compliance_targets, NEEDED)
@compliance_targets.output(schemas.TargetDetailOut)
@compliance_targets.doc(responses=[404])
def get_target(target_id: int) -> Answer:
    """Read one target

    With the file that was brought to it last. The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        found, file = service.get(session, target_id), bringing.file_of(session, target_id)
    body, status, tag = _told(found)
    return {**body, "file": msgspec.to_builtins(file)}, status, tag


@compliance_targets.put("/<int:target_id>")
@permit(compliance_targets, NEEDED)
@compliance_targets.input(IfMatchIn, location="headers")
@compliance_targets.input(schemas.TargetChangeIn)
@compliance_targets.output(schemas.TargetOut)
@compliance_targets.doc(responses=[404, 409, 412, 428])
def change_target(target_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Change a target, or pause it

    System and way stay. It is looked at again at once. What leads to an address, or takes a secret along, needs a session.
    """
    version, enabled = expected_version(headers_data["if_match"]), json_data.pop("enabled")
    with services().database.write() as session:
        draft = TargetDraft(**json_data)
        return _told(service.change(session, caller(), target_id, draft, enabled, expected_version=version))


@compliance_targets.delete("/<int:target_id>")
@permit(compliance_targets, NEEDED)
@compliance_targets.input(IfMatchIn, location="headers")
@compliance_targets.output({}, status_code=204)
@compliance_targets.doc(responses=[404, 412, 428])
def remove_target(target_id: int, headers_data: Body) -> tuple[str, int]:
    """Look at an object no more

    Verdicts and sealed evidence stay.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        service.remove(session, caller(), target_id, expected_version=version)
    return "", 204


@compliance_targets.put("/<int:target_id>/file")
@permit(compliance_targets, NEEDED)
@compliance_targets.input(schemas.TargetFileIn, location="form_and_files")
@compliance_targets.output(schemas.BroughtFileOut)
@compliance_targets.doc(responses=[404, 413, 503])
def bring_file(target_id: int, form_and_files_data: Body) -> Body:
    """Bring a file to a target without a place

    It is sealed, replaces the one before, and is looked at within a minute.
    """
    sent, key = form_and_files_data["file"], _key()
    content = sent.stream.read(bringing.MOST_BYTES + 1)
    with services().database.write() as session:
        made = bringing.bring(session, key, caller(), target_id, sent.filename or "", content)
    return msgspec.to_builtins(made)  # type: ignore[no-any-return]


@compliance_targets.post("/<int:target_id>/runs")
@permit(compliance_targets, NEEDED)
@compliance_targets.output(schemas.TargetOut, status_code=202)
@compliance_targets.doc(responses=[404, 409])
def run_target(target_id: int) -> Answer:
    """Have a target looked at within a minute

    What came of it stands in the target: run_at, read_at, error.
    """
    with services().database.write() as session:
        return _told(service.hasten(session, caller(), target_id), 202)


@compliance_targets.get("/<int:target_id>/results")
@permit(compliance_targets, NEEDED)
@compliance_targets.input(Paging, location="query", unknown=RAISE)
@compliance_targets.output(schemas.ResultPageOut)
@compliance_targets.doc(responses=[404, 409, 503])
def list_results(target_id: int, query_data: Body) -> Body:
    """List what each probe said when a target was read last

    Out of the sealed evidence, whose opening stands in the audit trail; raw evidence is opened by verdict.
    """
    key = _key()
    with services().database.write() as session:
        read_at, found, cursor = keeping.last_results(session, key, caller(), target_id, **query_data)
    return {"read_at": read_at, "results": msgspec.to_builtins(found), "next_cursor": cursor}


def _told(target: TargetRecord, status: int = 200) -> Answer:
    return msgspec.to_builtins(target), status, {"ETag": f'"{target.version}"'}


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        raise Problem(503, "this console has no master key, so it keeps nothing sealed", "start it through ./liandun serve")
    return key
