"""Who may do what: roles, and the one table of their permissions. Pages and the API ask for permissions, never for roles.

Three powers administer the platform and keep each other in check (三权分立; GB/T 22239-2019 8.1.4.2 e and 8.1.5: system, audit and
security management by different people). They see no event content, and those who work with events administer nothing.
ADR 0008 says why each line is as it is.
"""

from __future__ import annotations

POWERS: tuple[str, ...] = ("sysadmin", "secadmin", "auditadmin")
"""System, security and audit administrator. At least one active account of each has to stay."""

BUSINESS: tuple[str, ...] = ("analyst", "responder", "duty", "bureau", "leader", "auditor")

ROLES: tuple[str, ...] = (*POWERS, *BUSINESS)
"""An account has exactly one of these, or "" while none was granted yet."""

SCOPED_ONLY = frozenset({"bureau"})
"""Roles that must be limited to organisations or zones; without a scope they see nothing."""

EXPIRING = frozenset({"auditor"})
"""Roles that are given for a time only."""

_READ = frozenset(
    {
        "alerts.read",
        "events.read",
        "incidents.read",
        "rules.read",
        "sources.read",
        "zones.read",
        "assets.read",
        "warnings.read",
        "risk.read",
        "tuning.read",
        "intel.read",
        "advisories.read",
        "playbooks.read",
        "compliance.read",
    }
)
_WORK = _READ | {
    "alerts.write",
    "events.export",
    "incidents.write",
    "quarantine.read",
    "assets.write",
    "warnings.draft",
    "tuning.propose",
    "intel.write",
    "advisories.write",
    "keys.own",
    "playbooks.run",
    "compliance.answer",
}
_LEAD = frozenset({"incidents.decide", "incidents.report"})
"""Deciding class and level of an incident, closing it, issuing its reports."""
_RESPOND = frozenset({"playbooks.edit", "playbooks.approve"})
"""Writing playbooks, and being the second pair of eyes on what one wants to do to a system."""
_TICKETS = frozenset({"tickets.read", "tickets.write"})
_DUTY = frozenset({"duty.read", "duty.write"})
_REPORTS = frozenset({"reports.read", "reports.make"})
_HANDLE = frozenset({"services.read", "services.handle"})

PERMISSIONS: dict[str, frozenset[str]] = {
    "sysadmin": frozenset(
        {
            "accounts.read",
            "accounts.manage",
            "accounts.confirm",
            "platform.read",
            "sources.read",
            "webhooks.manage",
            "keys.own",
            "playbooks.secrets",
        }
    ),
    "secadmin": frozenset(
        {
            "accounts.read",
            "accounts.grant",
            "accounts.confirm",
            "accounts.unlock",
            "rules.read",
            "zones.read",
            "zones.write",
            "assets.read",
            "warnings.settings",
            "risk.settings",
            "searches.supervise",
            "suppressions.release",
            "tuning.read",
            "tuning.decide",
            "intel.read",
            "compliance.read",
            "compliance.write",
            "compliance.decide",
            "compliance.answer",
            "compliance.share",
            "compliance.targets",
            "keys.own",
            "keys.all",
            *_HANDLE,
        }
    ),
    "auditadmin": frozenset({"audit.read", "audit.verify", "audit.export", "audit.retain", "keys.own"}),
    "analyst": _WORK | _TICKETS | _DUTY | {"services.read"},
    "responder": _WORK | _LEAD | _RESPOND | _TICKETS | _DUTY | _HANDLE | _REPORTS,
    "duty": (
        (_WORK | _LEAD | _RESPOND | _TICKETS | _DUTY | _HANDLE | _REPORTS)
        | {"platform.read", "playbooks.release", "reports.schedule", "warnings.approve", "warnings.publish"}
    )
    - {"events.export"},
    "bureau": frozenset(
        {
            "advisories.read",
            "alerts.read",
            "assets.read",
            "compliance.read",
            "compliance.answer",
            "incidents.read",
            "risk.read",
            "rules.read",
            "services.apply",
            "services.read",
            "warnings.read",
            "warnings.receive",
            "zones.read",
            *_TICKETS,
        }
    ),
    "leader": _READ
    | {
        "compliance.decide",
        "incidents.decide",
        "playbooks.approve",
        "playbooks.release",
        "warnings.approve",
        "tickets.read",
        "services.read",
        "duty.read",
        "reports.read",
    },
    "auditor": frozenset(
        {
            "advisories.read",
            "alerts.read",
            "assets.read",
            "audit.read",
            "compliance.read",
            "compliance.review",
            "incidents.read",
            "intel.read",
            "platform.read",
            "playbooks.read",
            "reports.read",
            "risk.read",
            "rules.read",
            "services.read",
            "sources.read",
            "tickets.read",
            "tuning.read",
            "warnings.read",
            "zones.read",
        }
    ),
}

CITY_WIDE = frozenset(
    {
        "platform.read",
        "sources.read",
        "quarantine.read",
        "webhooks.manage",
        "zones.write",
        "warnings.draft",
        "warnings.approve",
        "warnings.publish",
        "warnings.settings",
        "risk.settings",
        "suppressions.release",
        "audit.read",
        "audit.verify",
        "audit.export",
        "audit.retain",
        "services.handle",
        "duty.read",
        "duty.write",
        "reports.schedule",
        "tuning.read",
        "tuning.propose",
        "tuning.decide",
        "intel.read",
        "intel.write",
        "playbooks.read",
        "playbooks.run",
        "playbooks.edit",
        "playbooks.release",
        "playbooks.approve",
        "playbooks.secrets",
        "compliance.targets",
    }
)
"""What cannot be cut to some zones; an account with a scope does not have it, whatever its role."""

KEYLESS = frozenset(
    {
        "accounts.read",
        "accounts.manage",
        "accounts.grant",
        "accounts.confirm",
        "accounts.unlock",
        "keys.own",
        "keys.all",
        "incidents.decide",
        "compliance.decide",
        "compliance.share",
        "warnings.approve",
        "suppressions.release",
        "tuning.decide",
        "playbooks.approve",
        "playbooks.release",
        "playbooks.secrets",
    }
)
"""What no API key may ever do: acts that separate the powers, the level of an incident, and the second pair of eyes on a warning or
on what hides detections need a person with a second factor."""

ALL: frozenset[str] = frozenset().union(*PERMISSIONS.values())


def is_power(role: str) -> bool:
    """True for the roles that administer."""
    return role in POWERS


def for_keys(role: str) -> frozenset[str]:
    """What a key of somebody with this role may be given."""
    return PERMISSIONS.get(role, frozenset()) - KEYLESS


def reading(permissions: frozenset[str]) -> frozenset[str]:
    """Those that change nothing."""
    return frozenset(name for name in permissions if name.endswith((".read", ".export", ".verify")))
