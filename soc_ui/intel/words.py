"""Names of kinds, states and forms of indicators, and why one was refused, in the language of the page."""

from __future__ import annotations

import re

from flask import Flask

from soc_ui.locale import _


def kinds() -> dict[str, str]:
    """Kind → its name, in the order of a menu."""
    return {
        "address": _("IP address"),
        "network": _("Network"),
        "domain": _("Domain"),
        "url": _("URL"),
        "hash": _("File hash"),
        "email": _("E-mail address"),
    }


def states() -> dict[str, str]:
    """State → its name."""
    return {"active": _("In force"), "expired": _("Expired"), "revoked": _("Revoked")}


def forms() -> dict[str, str]:
    """Form of a file → its name."""
    return {
        "": _("recognised by itself"),
        "lines": _("One value a line"),
        "table": _("CSV table"),
        "stix": "STIX 2.1",
        "misp": "MISP",
    }


def origin_name(origin: str) -> str:
    """Who says so."""
    return {"hand": _("entered by hand"), "incident": _("from an incident")}.get(origin, origin)


def reason(text: str) -> str:
    """Why a value is refused."""
    patterns = (
        (r"a network wider than (?P<n>/\d+) holds whole providers", _("A network wider than %(n)s holds whole providers.")),
        (
            r"such addresses name nobody in particular .*",
            _("Such addresses name nobody in particular (private, loopback, multicast …)."),
        ),
        (r"it is an address of the city's own zones", _("It is an address of the city's own zones.")),
        (r"it is a public resolver that every device may ask", _("It is a public resolver that every device may ask.")),
        (r"under this name anybody registers names", _("Under this name anybody registers names.")),
        (r"a device of the city has this name", _("A device of the city has this name.")),
        (r"the sender is of the city itself", _("The sender is of the city itself.")),
        (r"every empty file has this hash", _("Every empty file has this hash.")),
        (r"it ended (?P<n>.*)", _("It ended %(n)s.")),
        (r"(?P<n>.*) is no IP address and no network", _("%(n)s is no IP address and no network.")),
        (r"(?P<n>.*) is no domain name", _("%(n)s is no domain name.")),
        (r"(?P<n>.*) is no name of a host: .*", _("%(n)s is no name of a host.")),
        (r"(?P<n>.*) is no URL.*", _("%(n)s is no URL.")),
        (r"(?P<n>.*) is no hash: .*", _("%(n)s is no hash: MD5 has 32 hex digits, SHA-1 40, SHA-256 and SM3 64.")),
        (r"(?P<n>.*) is no e-mail address", _("%(n)s is no e-mail address.")),
        (r"(?P<n>.*) stands here already", _("%(n)s stands here already.")),
        (r"a value is one word", _("A value is one word.")),
        (r"the value is missing", _("The value is missing.")),
        (r"it was revoked already", _("It was revoked already.")),
        (r"this was changed by somebody else", _("Somebody else changed this in the meantime; here is how it stands now.")),
        (r"confidence is a number from 0 to 100", _("The confidence is a number from 0 to 100.")),
        (r"(?P<n>'.*') is what people add one by one", _("%(n)s is what people add one by one: name the source.")),
        (r"there is no TLP label (?P<n>.*)", _("There is no TLP label %(n)s.")),
        (r"(?P<n>'.*') is no moment", _("%(n)s is no moment.")),
        (r"a (?:URL|value|line) has at most (?P<n>\d+) (?:characters|bytes)", _("It is too long: at most %(n)s characters.")),
        (
            r"a URL with a user name is not taken: .*",
            _("A URL with a user name is not taken: whoever sees it would see the password, too."),
        ),
        (r"the line is no UTF-8", _("The line is no UTF-8.")),
        (r"an import has at most (?P<n>.*) values", _("An import has at most %(n)s values.")),
        (
            r"the pattern asks for several things together .*",
            _("The pattern asks for several things together: it is not one value."),
        ),
        (r"(?P<n>.*) is nothing that is looked up in events", _("%(n)s is nothing that is looked up in events.")),
        (r"attributes of the type (?P<n>.*) are not looked up in events", _("%(n)s is nothing that is looked up in events.")),
        (r"the file is not (?P<n>.*)", _("The file is not %(n)s.")),
        (r"the first line must name the columns, among them value", _("The first line must name the columns, among them “value”.")),
        (r"a line is one value; a remark begins with #", _("A line is one value; a remark begins with #.")),
    )
    for pattern, words in patterns:
        if match := re.fullmatch(pattern, text, re.DOTALL):
            return words % match.groupdict()
    return text


def install(app: Flask) -> None:
    """Gives templates the names."""
    app.jinja_env.globals.update(
        indicator_kinds=kinds, indicator_states=states, indicator_forms=forms, indicator_origin=origin_name, indicator_reason=reason
    )
