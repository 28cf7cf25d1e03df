"""The page of one warning: its texts, the receipt matrix, the forms of the steps that this person may take now, the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template

from operations.accounts import reach
from operations.accounts.schema import Principal
from operations.warnings import service, settings
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS
from operations.warnings.schema import MAX_NOTE, MAX_TEXT, TEXTS, ReceiptRecord, WarningDetail, WarningRecord
from operations.zones import service as zones
from soc_ui import access
from soc_ui.playbooks.caused import caused
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames


def warning_page(warning_id: int, *, wrong: str = "", act: str = "", values: Mapping[str, str] | None = None) -> str:
    """The page; after a refusal with its reason and what was typed in the form of ``act``. Raises NotFound."""
    me = access.me()
    with services().database.read() as session:
        detail = service.detail(session, warning_id)
        steps = steps_of(detail.warning, me)
        context: dict[str, Any] = {
            "zone_name": ZoneNames(record.zone for record in zones.list_zones(session)),
            "choices": reach.choices(session) if "publish" in steps else None,
            "deadlines": settings.get(session, "deadlines"),
            "caused": caused(session, "warning", warning_id),
            "matrix": settings.get(session, "matrix"),
        }
    return render_template(
        "warnings/one.html", detail=detail, warning=detail.warning, steps=steps, own=own_receipts(detail, me), wrong=wrong, act=act,
        values=values or {}, texts=TEXTS, levels=LEVELS, importances=IMPORTANCE, harms=HARM,
        longest={"text": MAX_TEXT, "note": MAX_NOTE}, **context,
    )  # fmt: skip


def steps_of(warning: WarningRecord, me: Principal) -> list[str]:
    """The acts of the centre that this person may do with the warning as it stands; ``second`` = a second person has to approve."""
    draft, decide, send = me.may("warnings.draft"), me.may("warnings.approve"), me.may("warnings.publish")
    own = me.name in warning.contributors
    possible = {
        "draft": [("submit", draft), ("edit", draft), ("discard", draft)],
        "submitted": [("approve", decide and not own), ("second", decide and own), ("return", decide)],
        "approved": [("publish", send), ("return", decide)],
        "published": [("adjust", send), ("lift", send)],
    }
    return [act for act, allowed in possible.get(warning.status, []) if allowed]


def own_receipts(detail: WarningDetail, me: Principal) -> list[ReceiptRecord]:
    """What the organisations of this person still owe to the edition in force."""
    if detail.warning.status != "published" or not me.may("warnings.receive"):
        return []
    return [
        row
        for row in detail.receipts
        if row.edition == detail.warning.edition and row.organisation in me.organisations and row.feedback_at is None
    ]
