"""Audit logs of other clouds → ECS: Aliyun ActionTrail, Huawei Cloud CTS, Azure, Okta, Microsoft 365, Google Cloud, GitHub.

Originals stay under the product's name (``azure.operationName``, ``okta.eventType``, ``github.action`` …), where Sigma rules find
them.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from kernel.event import Event

_AZURE_DATASETS: Final = {
    "signinlogs": "azure.signinlogs",
    "noninteractiveusersigninlogs": "azure.signinlogs",
    "serviceprincipalsigninlogs": "azure.signinlogs",
    "auditlogs": "azure.auditlogs",
    "riskdetection": "azure.riskdetection",
    "userriskevents": "azure.riskdetection",
    "azureactivity": "azure.activitylogs",
    "administrative": "azure.activitylogs",
    "security": "azure.activitylogs",
    "policy": "azure.activitylogs",
}


def fits_aliyun(obj: dict[str, Any]) -> bool:
    """ActionTrail, alone or wrapped by Log Service (``__topic__`` and ``event``)."""
    inner = obj.get("event", obj)
    return isinstance(inner, dict) and "eventName" in inner and ("acsRegion" in inner or "eventRW" in inner)


def read_aliyun(obj: dict[str, Any], original: str) -> list[Event]:
    """Aliyun ActionTrail (Aliyun, "Structure of an ActionTrail event")."""
    trail = obj["event"] if isinstance(obj.get("event"), dict) else obj
    event = _event("aliyun.actiontrail", "aliyun", original)
    ecs.flatten(trail, "aliyun.actiontrail", event)
    ecs.put(event, "@timestamp", clock.local(str(trail.get("eventTime", ""))))
    ecs.put(event, "event.action", trail.get("eventName"))
    ecs.put(event, "event.provider", trail.get("eventSource"))
    ecs.put(event, "cloud.region", trail.get("acsRegion"))
    ecs.put(event, "cloud.service.name", trail.get("serviceName"))
    ecs.put_ip(event, "source", trail.get("sourceIpAddress"))
    ecs.put(event, "user_agent.original", trail.get("userAgent"))
    ecs.put(event, "error.code", trail.get("errorCode"))
    ecs.put(event, "error.message", trail.get("errorMessage"))
    event["event.outcome"] = "failure" if trail.get("errorCode") else "success"
    identity = trail.get("userIdentity")
    if isinstance(identity, dict):
        ecs.put(event, "user.name", identity.get("userName") or identity.get("type"))
        ecs.put(event, "user.id", identity.get("principalId"))
        ecs.put(event, "cloud.account.id", identity.get("accountId"))
    login = "Login" in str(trail.get("eventName")) or trail.get("eventType") == "ConsoleSignin"
    event["event.category"] = ["authentication"] if login else ["configuration"]
    event["event.type"] = ["start"] if login else ["access" if trail.get("eventRW") == "Read" else "change"]
    return [_done(event)]


def fits_huawei(obj: dict[str, Any]) -> bool:
    """Huawei Cloud CTS trace."""
    return "trace_name" in obj and "service_type" in obj


def read_huawei(obj: dict[str, Any], original: str) -> list[Event]:
    """Huawei Cloud Trace Service (Huawei Cloud, "Trace structure"); ``user`` is JSON inside a string."""
    event = _event("huaweicloud.cts", "huawei", original)
    user = obj.get("user")
    if isinstance(user, str):
        try:
            user = orjson.loads(user)
        except orjson.JSONDecodeError:
            user = {"name": user}
    ecs.flatten({**obj, "user": user}, "huaweicloud.cts", event)
    ecs.put(event, "@timestamp", clock.epoch(obj.get("time")) or clock.local(str(obj.get("time", ""))))
    ecs.put(event, "event.action", obj.get("trace_name"))
    ecs.put(event, "cloud.service.name", obj.get("service_type"))
    ecs.put_ip(event, "source", obj.get("source_ip"))
    if isinstance(user, dict):
        ecs.put(event, "user.name", user.get("name"))
        ecs.put(event, "user.id", user.get("id"))
        domain = user.get("domain")
        if isinstance(domain, dict):
            ecs.put(event, "user.domain", domain.get("name"))
    code = str(obj.get("code", ""))
    failed = code.startswith(("4", "5")) if code else obj.get("trace_rating") in ("warning", "incident")
    event["event.outcome"] = "failure" if failed else "success"
    login = "login" in str(obj.get("trace_name")).lower()
    event["event.category"] = ["authentication"] if login else ["configuration"]
    event["event.type"] = ["start"] if login else ["change"]
    return [_done(event)]


def fits_azure(obj: dict[str, Any]) -> bool:
    """Azure Monitor, Entra ID (Azure AD), Microsoft 365 or Google Cloud audit."""
    return (
        _azure_dataset(obj) is not None
        or ("Workload" in obj and "Operation" in obj)
        or isinstance(obj.get("protoPayload"), dict)
        or ("action" in obj and "org" in obj and "actor" in obj)
    )


def read_azure(obj: dict[str, Any], original: str) -> list[Event]:
    """Fields as the cloud names them, and who, from where, what, with which result in ECS."""
    if isinstance(obj.get("protoPayload"), dict):
        return [_google(obj, original)]
    if "action" in obj and "org" in obj and "actor" in obj:
        dataset, provider = "github.audit", "github"
    elif "Workload" in obj and "Operation" in obj and _azure_dataset(obj) is None:
        dataset, provider = "m365.audit", "microsoft"
    else:
        dataset, provider = _azure_dataset(obj) or "azure.activitylogs", "azure"
    event = _event(dataset, provider, original)
    ecs.flatten(obj, dataset.partition(".")[0], event)
    stamps = (obj.get(key) for key in ("time", "TimeGenerated", "createdDateTime", "CreationTime", "eventTimestamp", "@timestamp"))
    ecs.put(event, "@timestamp", next((found for one in stamps if isinstance(one, str) and (found := clock.local(one))), None))
    if "@timestamp" not in event:
        ecs.put(event, "@timestamp", clock.epoch(obj.get("created_at") or obj.get("@timestamp")))
    action = obj.get("operationName") or obj.get("OperationName") or obj.get("Operation") or obj.get("action")
    ecs.put(event, "event.action", action.get("value") if isinstance(action, dict) else action)
    ecs.put_ip(event, "source", obj.get("callerIpAddress") or obj.get("IPAddress") or obj.get("ClientIP") or obj.get("actor_ip"))
    user = obj.get("UserPrincipalName") or obj.get("UserId") or obj.get("identity") or obj.get("caller") or obj.get("actor")
    ecs.put(event, "user.name", user if isinstance(user, str) else None)
    result = str(obj.get("resultType", obj.get("ResultType", obj.get("ResultStatus", "")))).lower()
    if result:
        event["event.outcome"] = "success" if result in ("0", "success", "succeeded", "true") else "failure"
    elif action == "AlertTriggered":  # the record of an alert, which the service did raise
        event["event.outcome"] = "success"
    if dataset in ("azure.auditlogs", "azure.signinlogs"):
        _entra(event, obj)
    login = dataset == "azure.signinlogs" or event.get("event.action") == "UserLoggedIn"
    event["event.category"] = ["authentication"] if login else ["configuration"]
    event["event.type"] = ["start"] if login else ["change"]
    return [_done(event)]


def _entra(event: Event, obj: dict[str, Any]) -> None:
    """What rules look for as a whole: the targets of a change as text, the result by its outcome and by its description."""
    properties = obj.get("properties")
    inner: dict[str, Any] = properties if isinstance(properties, dict) else {}
    targets = inner.get("targetResources") or obj.get("TargetResources") or obj.get("targetResources")
    if isinstance(targets, (list, dict)):
        event["azure.target_resources"] = orjson.dumps(targets).decode()
    status = inner.get("status")
    reason = status.get("failureReason") if isinstance(status, dict) else None
    told = (event.get("event.outcome"), obj.get("resultDescription") or obj.get("ResultDescription") or reason)
    event["azure.result_texts"] = [one for one in told if isinstance(one, str) and one]


def fits_okta(obj: dict[str, Any]) -> bool:
    """Okta System Log."""
    return "eventType" in obj and "published" in obj and isinstance(obj.get("actor"), dict)


def read_okta(obj: dict[str, Any], original: str) -> list[Event]:
    """Okta System Log API object."""
    event = _event("okta.system", "okta", original)
    ecs.flatten(obj, "okta", event)
    ecs.put(event, "@timestamp", clock.local(str(obj["published"])))
    ecs.put(event, "event.action", obj.get("eventType"))
    ecs.put(event, "user.name", obj["actor"].get("alternateId") or obj["actor"].get("displayName"))
    client, outcome = obj.get("client"), obj.get("outcome")
    if isinstance(client, dict):
        ecs.put_ip(event, "source", client.get("ipAddress"))
    if isinstance(outcome, dict):
        event["event.outcome"] = "success" if outcome.get("result") in ("SUCCESS", "ALLOW") else "failure"
        ecs.put(event, "event.reason", outcome.get("reason"))
    login = str(obj["eventType"]).startswith(("user.session", "user.authentication"))
    event["event.category"] = ["authentication"] if login else ["iam"]
    event["event.type"] = ["start"] if login else ["change"]
    return [_done(event)]


def _google(obj: dict[str, Any], original: str) -> Event:
    payload = obj["protoPayload"]
    event = _event("gcp.audit", "gcp", original)
    ecs.flatten(obj, "gcp.audit", event)
    ecs.put(event, "gcp.audit.method_name", payload.get("methodName"))
    ecs.put(event, "gcp.audit.service_name", payload.get("serviceName"))
    ecs.put(event, "gcp.audit.resource_name", payload.get("resourceName"))
    ecs.put(event, "@timestamp", clock.local(str(obj.get("timestamp", ""))))
    ecs.put(event, "event.action", payload.get("methodName"))
    caller, metadata = payload.get("authenticationInfo"), payload.get("requestMetadata")
    if isinstance(caller, dict):
        ecs.put(event, "user.name", caller.get("principalEmail"))
    if isinstance(metadata, dict):
        ecs.put_ip(event, "source", metadata.get("callerIp"))
    status = payload.get("status")
    event["event.outcome"] = "failure" if isinstance(status, dict) and status.get("code") else "success"
    event["event.category"], event["event.type"] = ["configuration"], ["change"]
    return _done(event)


def _azure_dataset(obj: dict[str, Any]) -> str | None:
    for key in ("category", "Category", "Type", "CategoryValue"):
        value = obj.get(key)
        if isinstance(value, str) and value.lower() in _AZURE_DATASETS:
            marks = ("operationName", "OperationName", "resourceId", "tenantId", "TenantId", "properties", "ResultType")
            if any(mark in obj for mark in marks):
                return _AZURE_DATASETS[value.lower()]
    if "operationName" in obj and ("resourceId" in obj or "callerIpAddress" in obj):
        return "azure.activitylogs"
    return None


def _event(dataset: str, provider: str, original: str) -> Event:
    return {
        "event.kind": "event",
        "event.dataset": dataset,
        "event.module": dataset.partition(".")[0],
        "cloud.provider": provider,
        "event.original": original,
    }


def _done(event: Event) -> Event:
    ecs.network_type(event)
    return ecs.relate(event)
