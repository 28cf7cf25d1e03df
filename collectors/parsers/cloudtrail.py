"""AWS CloudTrail record → ECS; originals under ``aws.cloudtrail.<dotted>``.

Source: AWS, "CloudTrail record contents" (event version 1.11).
"""

from __future__ import annotations

from typing import Any

import orjson

from collectors.parsers import fields as ecs
from kernel.event import Event, parse_timestamp

_READ_ONLY = ("Describe", "Get", "List", "Lookup", "Head", "Search", "Query", "Scan", "BatchGet")
_IAM = frozenset({"iam.amazonaws.com", "sts.amazonaws.com", "sso.amazonaws.com", "cognito-idp.amazonaws.com"})
_TYPES = (
    (("Create", "Put", "Run", "Add", "Attach", "Import", "Register"), "creation"),
    (("Delete", "Remove", "Terminate", "Detach", "Deregister"), "deletion"),
    (("Update", "Modify", "Set", "Change", "Enable", "Disable", "Stop", "Start"), "change"),
)


def fits(obj: dict[str, Any]) -> bool:
    """True for a CloudTrail record."""
    return "eventSource" in obj and "eventName" in obj and ("awsRegion" in obj or "userIdentity" in obj)


def read(obj: dict[str, Any], original: str) -> list[Event]:
    """One event."""
    event: Event = {
        "event.kind": "event",
        "event.dataset": "aws.cloudtrail",
        "event.module": "aws",
        "cloud.provider": "aws",
        "event.original": original,
    }
    ecs.flatten({key: value for key, value in obj.items() if not key.startswith("@")}, "aws.cloudtrail", event)
    for name in ("requestParameters", "responseElements"):  # rules look for words anywhere in them
        if isinstance(obj.get(name), dict):
            event[f"aws.cloudtrail.{name}"] = orjson.dumps(obj[name]).decode()
    stamp = obj.get("eventTime") or obj.get("@timestamp")
    ecs.put(event, "@timestamp", parse_timestamp(stamp) if isinstance(stamp, str) else None)
    name, source = str(obj["eventName"]), str(obj["eventSource"])
    event["event.action"] = name
    event["event.provider"] = source
    ecs.put(event, "cloud.region", obj.get("awsRegion"))
    ecs.put(event, "cloud.account.id", obj.get("recipientAccountId"))
    event["cloud.service.name"] = source.partition(".")[0]
    _identity(event, obj.get("userIdentity"))
    ecs.put_ip(event, "source", obj.get("sourceIPAddress"))
    ecs.put(event, "user_agent.original", obj.get("userAgent"))
    error = obj.get("errorCode")
    event["event.outcome"] = "failure" if error or _console_login_failed(obj) else "success"
    ecs.put(event, "error.code", error)
    ecs.put(event, "error.message", obj.get("errorMessage"))
    _classify(event, name, source)
    ecs.network_type(event)
    return [ecs.relate(event)]


def _identity(event: Event, identity: Any) -> None:
    if not isinstance(identity, dict):
        return
    issuer = identity.get("sessionContext")
    issuer = issuer.get("sessionIssuer") if isinstance(issuer, dict) else None
    name = identity.get("userName") or (issuer.get("userName") if isinstance(issuer, dict) else None) or identity.get("type")
    ecs.put(event, "user.name", name if isinstance(name, str) else None)
    ecs.put(event, "user.id", identity.get("principalId"))
    account = identity.get("accountId")
    if "cloud.account.id" not in event:
        ecs.put(event, "cloud.account.id", account)


def _console_login_failed(obj: dict[str, Any]) -> bool:
    response = obj.get("responseElements")
    return isinstance(response, dict) and response.get("ConsoleLogin") == "Failure"


def _classify(event: Event, name: str, source: str) -> None:
    if name in ("ConsoleLogin", "GetSessionToken", "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"):
        event["event.category"], event["event.type"] = ["authentication"], ["start"]
        return
    event["event.category"] = ["iam"] if source in _IAM else ["configuration"]
    if name.startswith(_READ_ONLY):
        event["event.type"] = ["access"]
        return
    event["event.type"] = [next((kind for starts, kind in _TYPES if name.startswith(starts)), "info")]
