"""``/webhooks/<n>/routing``: what a target gets and when, and which of the last notifications that would have been."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.detection import LEVELS
from operations.errors import Conflict, Invalid
from operations.webhooks import service
from operations.webhooks.rehearsal import Rehearsed, rehearse
from operations.webhooks.routing import EVERY_DAY, MAX_RULES
from operations.zones import service as zones
from soc_ui import access
from soc_ui.admin import routing_form, routing_words
from soc_ui.admin.routing_form import Block, Filled
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames

webhook_routing = Blueprint("webhook_routing", __name__)


@webhook_routing.get("/webhooks/<int:target_id>/routing")
@access.needs("webhooks.manage")
def page(target_id: int) -> str:
    """The form as the target has it."""
    return _page(target_id)


@webhook_routing.post("/webhooks/<int:target_id>/routing")
@access.needs("webhooks.manage")
def change(target_id: int) -> Response | str | tuple[str, int]:
    """Save it; with ``act`` ``more`` another rule is asked for, with ``preview`` the last notifications are judged: nothing is
    saved by these. A form that was filled in before somebody else's change is refused."""
    form, act = routing_form.typed(request.form), request.form.get("act", "")
    try:
        if act == "preview":
            with services().database.read() as session:
                found = rehearse(session, form.min_level, routing_form.routing_from(form))
            return _page(target_id, form, found=found)
        if act == "more":
            return _page(target_id, form)
        with services().database.write() as session:
            service.change_target(
                session,
                access.me().actor,
                target_id,
                min_level=form.min_level,
                routing=routing_form.routing_from(form),
                expected_version=request.form.get("version", 0, row_id),
                policy=services().webhook_policy,
            )
    except Conflict:
        told = _("Somebody else changed this webhook in the meantime; here is how it stands now.")
        return _page(target_id, refusal=("", told)), 409
    except Invalid as error:
        return _page(target_id, form, refusal=routing_words.wrong(error)), 422
    return redirect(url_for("webhooks.one", target_id=target_id, done="webhook"))


def _page(
    target_id: int, form: Filled | None = None, *, refusal: tuple[str, str] = ("", ""), found: list[Rehearsed] | None = None
) -> str:
    with services().database.read() as session:
        target = service.get_target(session, target_id)
        plan = [record.zone for record in zones.list_zones(session)]
    owners = sorted({zone.owner for zone in plan if zone.owner})
    form = form or routing_form.filled(target.min_level, target.routing, owners)
    blocks = [*form.blocks, Block()] if len(form.blocks) < MAX_RULES else form.blocks
    return render_template(
        "admin/webhook_routing.html",
        target=target, form=form, blocks=blocks, plan=plan, owners=owners, zone_name=ZoneNames(plan), levels=LEVELS,
        days=EVERY_DAY, w=routing_words, wrong_at=refusal[0], wrong=refusal[1], found=found,
    )  # fmt: skip
