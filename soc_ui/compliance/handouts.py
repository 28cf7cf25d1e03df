"""``/compliance/<n>/handouts``: links for people without an account to one report, or to the assessment of the system."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from compliance.reports.exporting import Means
from compliance.reports.words import LANGUAGES
from compliance.review import handouts
from compliance.review.schema import HandoutDraft, HandoutRecord
from compliance.systems import service as systems
from kernel.errors import LiandunError
from operations.documents.pdf import LayoutError
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.compliance.forms import moment
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.preferences import current
from soc_ui.services import services

compliance_handouts = Blueprint("compliance_handouts", __name__, url_prefix="/compliance/<int:system_id>/handouts")
Answer = Response | tuple[str, int] | str


@compliance_handouts.get("")
@access.needs("compliance.read")
def page(system_id: int) -> str:
    """The links there are; no token is shown again."""
    return _page(system_id)


@compliance_handouts.post("")
@access.needs("compliance.share")
def make(system_id: int) -> Answer:
    """Make one: ``what``, ``recipient``, ``expires_at``, ``language``, ``password``. Its address is shown this once."""
    form, found = request.form, services()
    means = Means(found.master_key, found.settings.site_name or _("Liandun"))
    try:
        draft = HandoutDraft(
            form.get("what", ""), form.get("recipient", ""), moment(form.get("expires_at", ""), "expires_at"),
            language=form.get("language", current().lang), password=form.get("password", ""),
        )  # fmt: skip
        made, token = handouts.make(found.database, means, access.me(), system_id, draft)
    except (Invalid, Denied, Conflict, LayoutError) as error:
        return _page(system_id, error), refusals.status(error)
    base = found.settings.public_origin or request.host_url.rstrip("/")
    return _page(system_id, made=made, address=f"{base}{url_for('handout.look', token=token)}")


@compliance_handouts.post("/<int:handout_id>/revocation")
@access.needs("compliance.share")
def revoke(system_id: int, handout_id: int) -> Answer:
    """It opens nothing any more."""
    form, version = request.form, request.form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            handouts.revoke(session, access.me(), system_id, handout_id, form.get("reason", ""), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _page(system_id, error), refusals.status(error)
    return redirect(url_for("compliance_handouts.page", system_id=system_id, done="mlps_revoked"))


def _page(system_id: int, error: LiandunError | None = None, made: HandoutRecord | None = None, address: str = "") -> str:
    with services().database.read() as session:
        system = systems.get_system(session, system_id)
        found = handouts.list_handouts(session, system_id)
    return render_template(
        "compliance/handouts.html", system=system, handouts=found, kinds=handouts.WHAT, languages=LANGUAGES,
        language=current().lang, made=made, address=address,
        days=handouts.LONGEST // 86_400, wrong=refusals.explain(error) if error else [],
        typed=request.form if error else {},
    )  # fmt: skip
