"""Why the form of a webhook was refused, in the language of the page, and beside which field that stands."""

from __future__ import annotations

import re

from operations.errors import Invalid
from operations.webhooks.channels.registry import CHANNELS
from soc_ui.admin.webhook_form import fields_of
from soc_ui.locale import _

BESIDE = ("name", "url", "secret", "min_level", "from", "to", "user", "topic", "mechanism", "language", "template", "ca")
"""Fields of the form that a reason can stand beside."""


def wrong(error: Invalid, kind: str) -> tuple[str, str]:
    """The field ("" = the whole form) and the reason. ``kind`` of the webhook."""
    field = (error.field or "").removeprefix("settings").removeprefix(".")
    words = {
        "name": _("A webhook needs a name of at most 128 characters."),
        "url": _url(error, kind),
        "secret": _("A secret is one line of at most 512 characters."),
        "min_level": _("Choose a level from the list."),
        "from": _("Write one mail address."),
        "to": _("Write 1 to 50 mail addresses."),
        "user": _("One line of at most 256 characters."),
        "topic": _("1 to 249 letters, digits and . _ -"),
        "mechanism": _("Choose one from the list."),
        "language": _("Choose one from the list."),
        "template": _("This template is not possible: %(why)s", why=error.message.removeprefix("template").lstrip(" ,:")),
        "ca": _("This holds no certificates in PEM form."),
    }
    if field in BESIDE:
        return field, words[field]
    return "", f"{_('A value breaks a rule.')} {error.message}"


def _url(error: Invalid, kind: str) -> str:
    if re.match(r"the whole URL is needed", error.message):
        return _("The whole URL is needed, not only what is shown of one.")
    if kind == "apprise":
        return _apprise(error)
    if "TLS only" in error.message:
        return _("A password travels by TLS only: the URL begins with kafkas://.")
    return _(
        "This URL is not accepted: it must begin with %(start)s, without user, password or fragment, and lead to a public address; "
        "other networks are allowed in the configuration.",
        start=fields_of(kind)["start"] if kind in CHANNELS else "https://",
    )


def _apprise(error: Invalid) -> str:
    option = re.match(r"the URL must not have the option ([a-z-]+)", error.message)
    if option:
        return _("This URL must not have the option %(name)s.", name=option[1])
    if "scheme" in error.message:
        return _("URLs that begin like this are not possible; those that are stand below.")
    if "not public" in error.message:
        return _("This address is not public, or is asked for without TLS; other networks are allowed in the configuration.")
    why = error.message.removeprefix("the URL is not understood:").strip()
    return _("This URL is not accepted: %(why)s", why=why)
