"""What tickets, their states and acts are called in the language of the page, and why something was refused."""

from __future__ import annotations

from flask import Flask

from soc_ui.locale import _


def state_name(state: str) -> str:
    """待阅, 待办, 在办, 办结, 打回."""
    names = {
        "to_read": _("To read"),
        "to_do": _("To do"),
        "in_hand": _("In hand"),
        "done": _("Done"),
        "sent_back": _("Sent back"),
    }
    return names.get(state, state)


def kind_name(kind: str) -> str:
    """What the ticket asks for."""
    return {"remediation": _("Remediation"), "notification": _("Notification")}.get(kind, kind)


def act_name(act: str) -> str:
    """What was done to a ticket (operations.tickets.rules.ACTS and those of the history)."""
    names = {
        "create": _("Opened"),
        "receipt": _("Signed for"),
        "take": _("Taken in hand"),
        "finish": _("Finished"),
        "send_back": _("Sent back"),
        "resend": _("Sent again"),
        "close": _("Closed without a result"),
        "transfer": _("Transferred"),
        "delegate": _("Delegated"),
        "edit": _("Changed"),
        "comment": _("Comment"),
        "attach": _("Attached"),
    }
    return names.get(act, act)


def field_name(field: str) -> str:
    """Fields that the history tells of."""
    names = {
        "state": _("State"),
        "waiting_for": _("Whose turn"),
        "assignee": _("Assigned to"),
        "delegate": _("Delegate"),
        "delegate_until": _("Delegated until"),
        "bureau": _("Addressed to"),
        "due_at": _("Due"),
        "title": _("Title"),
        "level": _("Level"),
    }
    return names.get(field, field)


def link_name(kind: str) -> str:
    """What a ticket can be about (operations.tickets.models.LINK_KINDS)."""
    names = {
        "alert": _("Alert"),
        "zone": _("Zone"),
        "conduit": _("Conduit"),
        "asset": _("Asset"),
        "warning": _("Early warning"),
        "incident": _("Incident"),
        "application": _("Application for a service"),
        "certificate": _("Certificate"),
        "rule": _("Rule"),
        "source": _("Source"),
        "control": _("Control of a system"),
    }
    return names.get(kind, kind)


def organisation(name: str) -> str:
    """An owner of the zone plan; "" is the operator of the platform."""
    return name or _("the operator")


def install(app: Flask) -> None:
    """Gives templates the names above."""
    app.jinja_env.globals.update(
        ticket_state=state_name, ticket_kind=kind_name, ticket_act=act_name, ticket_field=field_name, link_name=link_name,
        organisation=organisation,
    )  # fmt: skip
