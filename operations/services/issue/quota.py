"""A storage quota: on record, shown against what is metered. Nothing is dropped when it is exceeded (the law asks for 180 days)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.services.issue.means import Means
from operations.services.models import Application
from operations.services.periods import ends
from operations.services.schema import Grant


def subject(form: dict[str, Any]) -> str:
    """In one line."""
    return f"{form['gigabytes']} GB"


def issue(_session: Session, _who: Principal, application: Application, form: dict[str, Any], _means: Means) -> Grant:
    """On record."""
    return Grant("quota", str(application.id), {"gigabytes_a_month": form["gigabytes"]}, ends(clock.now(), form["days"]))
