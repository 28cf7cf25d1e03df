"""Alerts of certificates that end: one detection for each certificate and warning distance, however often the clock looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from kernel.detection import Detection, MatchedField, detection_id
from kernel.event import timestamp
from operations.alerts.service import record_detections
from operations.certificates.expiry import Expiry

ENDING, ENDED = "liandun-certificate-ending", "liandun-certificate-ended"
ENGINE = "platform"
_WHAT = {
    "authority": "The certificate of our authority",
    "city": "The trusted root",
    "issued": "A certificate issued by",
    "login": "The sign-in certificate of",
    "list": "The revocation list in or of",
    "link": "The certificate of links",
    "file": "The certificate",
}


def expiry_detections(found: Sequence[Expiry], now: datetime, host: str, days: Sequence[int]) -> list[Detection]:
    """``host``: the machine that looked."""
    return [_detection(one, now, host, days) for one in found]


def record_expiries(session: Session, detections: Sequence[Detection]) -> list[int]:
    """Record those that are new; the ids of new alerts."""
    return record_detections(session, detections).new_alert_ids


def _detection(one: Expiry, now: datetime, host: str, days: Sequence[int]) -> Detection:
    rule = ENDING if one.days_left else ENDED
    event = detection_id("certificate", [one.digest, str(one.days_left)])
    when = f"ended at {one.not_after:%Y-%m-%d %H:%M} UTC" if not one.days_left else f"ends at {one.not_after:%Y-%m-%d %H:%M} UTC"
    message = f"{_WHAT[one.kind]} {one.place} ({one.subject}) {when}"
    return Detection(
        id=detection_id(rule, [event]),
        rule_id=rule,
        rule_name="Certificate or revocation list ends soon" if one.days_left else "Certificate or revocation list has ended",
        level=level_of(one.days_left, days),
        engine=ENGINE,
        time=timestamp(now),
        event_ids=[event],
        event={
            "@timestamp": timestamp(now),
            "event.id": event,
            "event.kind": "alert",
            "event.category": ["configuration"],
            "event.dataset": "liandun.certificates",
            "host.name": host,
            "message": message,
            "file.x509.subject.distinguished_name": one.subject,
            "file.x509.serial_number": one.serial,
            "file.x509.not_after": timestamp(one.not_after),
            **({"file.path": one.place} if one.kind in ("link", "file") else {}),
            **({"user.name": one.place} if one.kind == "login" else {}),
        },
        matched=[MatchedField("file.x509.not_after", timestamp(one.not_after), f"within {one.days_left} days", one.kind)],
        description=message,
        group={"certificate": one.digest, "days": str(one.days_left)},
    )


def level_of(days_left: int, days: Sequence[int]) -> str:
    """Over: critical; within the nearest warning distance high, the next medium, any further one low."""
    if not days_left:
        return "critical"
    return ("high", "medium", "low")[min(sorted(set(days)).index(days_left), 2)]
