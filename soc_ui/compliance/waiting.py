"""What of compliance waits for the person behind this request: waivers to decide, requests to answer or to close."""

from __future__ import annotations

from contextlib import nullcontext

from flask import g
from sqlalchemy.orm import Session

from compliance.remediation.waivers import count_asked
from compliance.review.schema import RequestFilter
from compliance.review.service import count_states
from soc_ui import access
from soc_ui.services import services


def waiting_now(session: Session | None = None) -> dict[str, int]:
    """``waivers`` and ``requests``; counted once a request, in a snapshot of its own where none is given."""
    if "compliance_waiting" not in g:
        with nullcontext(session) if session else services().database.read() as snapshot:
            g.compliance_waiting = _counted(snapshot)
    return dict(g.compliance_waiting)


def _counted(session: Session) -> dict[str, int]:
    me = access.me()
    found = {"waivers": 0, "requests": 0}
    if me.may("compliance.read"):
        if me.may("compliance.decide"):
            found["waivers"] = count_asked(session, me.name)
        if me.may("compliance.answer") or me.may("compliance.review"):
            states = count_states(session, RequestFilter())
            found["requests"] = states["open"] * me.may("compliance.answer")
            found["requests"] += states["answered"] * me.may("compliance.review")
    return found
