"""What the government cloud writes: Kubernetes audit, object storage in CloudTrail's form, database audit."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from demo.syslog import INFO, LOCAL7, rfc5424

REGION = "lanting-1"
ACCOUNT = "990101000001"


def kubernetes(
    moment: datetime,
    user: str,
    source: str,
    verb: str,
    resource: str,
    namespace: str,
    name: str,
    code: int = 200,
    agent: str = "kubectl/v1.33.4 (linux/amd64) kubernetes/74cdb42",
    request: dict[str, Any] | None = None,
    subresource: str = "",
) -> bytes:
    """API server audit event (audit.k8s.io/v1), stage ResponseComplete. ``request`` is the body, at level Request."""
    stamp = _stamp(moment)
    place = f"/namespaces/{namespace}" if namespace else ""
    reference = {"resource": resource, "namespace": namespace, "name": name, "apiVersion": "v1"}
    line = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request" if request else "Metadata",
        "auditID": _uuid(stamp, user, name),
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1{place}/{resource}/{name}" + (f"/{subresource}" if subresource else ""),
        "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]},
        "sourceIPs": [source],
        "userAgent": agent,
        "objectRef": reference | ({"subresource": subresource} if subresource else {}),
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": stamp,
        "stageTimestamp": stamp,
        "annotations": {"authorization.k8s.io/decision": "allow" if code < 400 else "forbid"},
    }
    if request:
        line["requestObject"] = request
    return json.dumps(line, separators=(",", ":")).encode()


def storage(
    moment: datetime, user: str, source: str, action: str, bucket: str, key: str = "", size: int = 0, agent: str = "aws-sdk-go/1.55"
) -> bytes:
    """A data event of the S3-compatible object storage, in the form of CloudTrail's record (version 1.11)."""
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "principalId": f"AIDA{user.upper()[:12]}", "accountId": ACCOUNT, "userName": user},
        "eventTime": stamp,
        "eventSource": "s3.amazonaws.com",
        "eventName": action,
        "awsRegion": REGION,
        "sourceIPAddress": source,
        "userAgent": f"[{agent}]",
        "requestParameters": {"bucketName": bucket, **({"key": key} if key else {})},
        "responseElements": None,
        "additionalEventData": {"bytesTransferredOut": size},
        "requestID": _uuid(stamp, user, key)[:16].upper(),
        "eventID": _uuid(stamp, action, key),
        "readOnly": action.startswith(("Get", "List", "Head")),
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
    }
    return json.dumps(line, separators=(",", ":")).encode()


def database(moment: datetime, host: str, pid: int, user: str, source: str, verb: str, table: str, statement: str) -> bytes:
    """PostgreSQL with pgaudit (session logging), sent by its syslog destination; ``verb`` is SELECT, INSERT, UPDATE, COPY …"""
    kind = "READ" if verb in ("SELECT", "COPY") else "WRITE"
    text = f"user={user},db=city,client={source} LOG:  AUDIT: SESSION,{pid % 97},1,{kind},{verb},TABLE,{table},{statement},<none>"
    return rfc5424(moment, LOCAL7, INFO, host, "postgres", pid, text)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "\0".join(parts)))
