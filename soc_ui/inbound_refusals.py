"""Refused inbound messages that wait to be counted, one heap for each application."""

from __future__ import annotations

from flask import current_app

from operations.inbound.counting import Refusals

_NAME = "liandun.inbound"


def refusals() -> Refusals:
    """Those of the running application."""
    found = current_app.extensions.setdefault(_NAME, Refusals())
    assert isinstance(found, Refusals)
    return found
