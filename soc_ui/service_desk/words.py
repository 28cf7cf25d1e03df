"""What services, their forms and states are called in the language of the page."""

from __future__ import annotations

from flask import Flask

from operations.services.catalogue import BY_ID, Field, Service
from soc_ui import preferences
from soc_ui.locale import _


def service_name(service_id: str) -> str:
    """The service as the catalogue calls it; an unknown one stands for itself."""
    found = BY_ID.get(service_id)
    return service_id if found is None else found.zh if _chinese() else found.en


def service_about(service: Service) -> str:
    """What it is for."""
    return service.about_zh if _chinese() else service.about_en


def field_label(service_id: str, name: str) -> str:
    """The label of a field of a form."""
    service = BY_ID.get(service_id)
    found = next((field for field in service.fields if field.name == name), None) if service else None
    if found is not None:
        return field_text(found)
    return {"subject": _("Subject of the request"), "names": _("Names in the request")}.get(name, name)


def field_text(field: Field) -> str:
    """The same for a field at hand."""
    return field.zh if _chinese() else field.en


def state_name(state: str) -> str:
    """State of an application."""
    names = {
        "applied": _("Applied"),
        "accepted": _("Accepted"),
        "to_confirm": _("Waits for a second person"),
        "issued": _("Issued"),
        "renewed": _("Renewed"),
        "expired": _("Expired"),
        "rejected": _("Rejected"),
        "withdrawn": _("Withdrawn"),
        "revoked": _("Given back"),
    }
    return names.get(state, state)


def act_name(act: str) -> str:
    """What was done to an application."""
    names = {
        "apply": _("Applied"),
        "renew": _("Applied for renewal"),
        "accept": _("Accepted"),
        "issue": _("Issued"),
        "propose": _("Issued, waits for a second person"),
        "confirm": _("Confirmed as second person"),
        "reject": _("Rejected"),
        "withdraw": _("Withdrawn"),
        "revoke": _("Given back"),
        "expire": _("Expired"),
    }
    return names.get(act, act)


def danger_name(danger: str) -> str:
    """Why a second person is needed (operations.services.issue.permit.DANGERS)."""
    names = {
        "any": _("It permits every service."),
        "management": _("It permits services that administer machines."),
        "wide": _("It permits a wide range of ports."),
        "internet": _("It leads from or to the Internet."),
        "important": _("It leads into a zone of the highest importance."),
        "field": _("It leads into the perception layer (controllers, cameras)."),
    }
    return names.get(danger, danger)


def told_name(name: str) -> str:
    """What the applicant was told when it was issued."""
    names = {
        "conduit": _("Conduit"),
        "until": _("Until"),
        "serial": _("Serial number"),
        "authority": _("Issued by"),
        "certificate": _("Certificate"),
        "source": _("Source"),
        "send_to": _("Send to"),
        "from": _("From addresses"),
        "format": _("Format"),
        "account": _("Account"),
        "role": _("Role"),
        "ticket": _("Ticket"),
        "gigabytes_a_month": _("GB a month"),
    }
    return names.get(name, name)


def _chinese() -> bool:
    return preferences.current().lang == "zh"


def install(app: Flask) -> None:
    """Gives templates the names above."""
    app.jinja_env.globals.update(
        service_name=service_name, service_about=service_about, field_label=field_label, field_text=field_text,
        application_state=state_name, application_act=act_name, danger_name=danger_name, told_name=told_name,
    )  # fmt: skip
