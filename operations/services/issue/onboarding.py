"""Log onboarding: where to send what, from the platform's own listeners, on record.

Syslog knows no credentials, so none is invented: what admits a sender is its address (on record here), or on a protected link its
certificate, which is a service of its own.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.errors import Conflict, Invalid
from operations.services.issue.means import Means
from operations.services.models import Application
from operations.services.schema import Grant


def subject(form: dict[str, Any]) -> str:
    """In one line. Raises Invalid for an address that is none."""
    for one in form["addresses"]:
        address(one, "addresses")
    return f"{form['product']} ({form['zone']}, {form['format']})"[:200]


def address(written: str, field: str) -> str:
    """An address or network in its normal form. Raises Invalid."""
    try:
        return str(ipaddress.ip_network(written))
    except ValueError as error:
        raise Invalid(f"{written[:64]!r} is no address or network", field=field) from error


def issue(_session: Session, _who: Principal, application: Application, form: dict[str, Any], means: Means) -> Grant:
    """Raises Conflict where the platform listens to no such transport."""
    points = [one for one in means.listen if one.transport == form["transport"]]
    if not points:
        raise Conflict(
            f"no listener of the platform takes {form['transport']}", "see [ingest.syslog] and [links] in the configuration"
        )
    told = {
        "source": f"src-{application.id}",
        "send_to": [f"{one.transport} {_shown(one.host)}:{one.port}{f' ({one.id})' if one.id else ''}" for one in points],
        "from": form["addresses"],
        "format": form["format"],
    }
    return Grant("source", f"src-{application.id}", told)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
