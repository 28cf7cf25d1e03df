"""What of compliance waits for the person behind this request: waivers to decide, requests to answer or to close."""

from __future__ import annotations

from flask import g

from compliance.remediation.waivers import count_asked
from compliance.review.schema import RequestFilter
from compliance.review.service import count_states
from soc_ui import access
from soc_ui.frame_session import frame_session


def waiting_now() -> dict[str, int]:
    """``waivers`` and ``requests``; counted once a request."""
    if "compliance_waiting" not in g:
        me = access.me()
        found = {"waivers": 0, "requests": 0}
        if me.may("compliance.read"):
            with frame_session() as session:
                if me.may("compliance.decide"):
                    found["waivers"] = count_asked(session, me.name)
                if me.may("compliance.answer") or me.may("compliance.review"):
                    states = count_states(session, RequestFilter())
                    found["requests"] = states["open"] * me.may("compliance.answer")
                    found["requests"] += states["answered"] * me.may("compliance.review")
        g.compliance_waiting = found
    return dict(g.compliance_waiting)
