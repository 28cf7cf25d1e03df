"""Names of roles, kinds and states, and reasons of refusals, in the language of the page."""

from __future__ import annotations

from operations.errors import Invalid
from soc_ui.locale import _


def role_names() -> dict[str, str]:
    """Role → its name; "" is none."""
    return {
        "": _("no role yet"),
        "sysadmin": _("System administrator"),
        "secadmin": _("Security administrator"),
        "auditadmin": _("Audit administrator"),
        "analyst": _("Analyst"),
        "responder": _("Responder"),
        "duty": _("Duty officer"),
        "bureau": _("Bureau user"),
        "leader": _("Leader"),
        "auditor": _("External auditor"),
    }


def role_duties() -> dict[str, str]:
    """Role → what it is for, in a line."""
    return {
        "": _("may do nothing until a security administrator has proposed a role and a second person has confirmed it"),
        "sysadmin": _("accounts, sources, webhooks; sees no events, gives no roles"),
        "secadmin": _("roles and scopes, rules, zone plan; sees no events, makes no accounts"),
        "auditadmin": _("the audit trail and nothing else"),
        "analyst": _("works on alerts, hunts, registers assets"),
        "responder": _("works on alerts and incidents"),
        "duty": _("works on alerts, exports nothing"),
        "bureau": _("sees what concerns its own organisation"),
        "leader": _("reads"),
        "auditor": _("reads, for a limited time"),
    }


def factor_names() -> dict[str, str]:
    """Kind of factor → its name."""
    return {
        "totp": _("One-time password"),
        "webauthn": _("Security key"),
        "certificate": _("SM2 certificate"),
        "recovery": _("Recovery code"),
        "external": _("Sign-in service"),
        "": _("Password only"),
    }


def kind_names() -> dict[str, str]:
    """Kind of proposal → its name."""
    return {"role": _("Role and scope"), "password": _("New password"), "factors": _("Remove second factors")}


def state_names() -> dict[str, str]:
    """State of a proposal → its name."""
    return {
        "open": _("to be confirmed"),
        "confirmed": _("confirmed"),
        "refused": _("refused"),
        "withdrawn": _("withdrawn"),
        "lapsed": _("lapsed"),
    }


def refusal(error: Invalid) -> str:
    """What is wrong with a form."""
    texts = {
        "name": _("An account name has 2 to 64 letters, digits or . _ @ -"),
        "role": _("Choose a role that differs from the present one."),
        "organisations": _("This role and this scope do not fit together."),
        "zones": _("This role and this scope do not fit together."),
        "days": _("Say for how many days, 1 to 366; only the external auditor's role ends by itself."),
        "code": _("The code is wrong. Check the clock of the device."),
        "answer": _("The security key's answer was not accepted."),
        "certificate": _("This is no SM2 certificate that is valid today."),
        "signature": _("The signature does not fit the certificate and the text."),
    }
    if error.field == "password":
        return _password_refusal(error.message)
    return texts.get(error.field, _("A value breaks a rule."))


def _password_refusal(message: str) -> str:
    if "used before" in message:
        return _("This password was used before.")
    if "too_easy" in message:
        return _("This password is easily guessed. Take more, and rarer, words.")
    return _("The password does not fit the rules below.")
