"""How each shipped playbook is run on the estate: the way on which it acts, and what it does there."""

from __future__ import annotations

import msgspec

from playbooks.variables import Value
from tests.system.estate import DATA_HOST, PLANT
from tests.system.estate_people import Form

SHA256 = "ab" * 32
EVERYBODY: Form = {
    "__approved__": "true", "__plant_agrees__": "true", "__containment__": "done", "__evidence__": "档-7",
    "__verdict__": "true_positive", "__lessons__": "收敛暴露面",
}  # fmt: skip
BLOCK, ISOLATE, DIVERT = "liandun-nft-block", "liandun-host-isolate", "liandun-sinkhole-add"
DISABLE, HOST, PACKETS = "liandun-account-disable", "liandun-evidence-host", "liandun-evidence-packets"
TICKET, INDICATOR, WARNING = "liandun-ticket", "liandun-indicator-add", "liandun-warning-draft"
SEALED = {HOST, PACKETS}
ALWAYS = {"liandun-incident-note", "liandun-notify"}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """How a playbook is run.

    form    what people fill in                      about  fields of the alert other than those of the attack on the office
    values  what its starter knows beside that       acts   what the platform does on the way, beside what it always does
    plant   whether it happens in a zone with control systems
    """

    form: Form = {}
    about: dict[str, str] = {}
    values: dict[str, Value] = {}
    acts: set[str] = set()
    plant: bool = False


CASES: dict[str, Case] = {
    "Account takeover": Case(
        form={"__by_person__": "false", "__abuse__": "privileged"}, acts={DISABLE, BLOCK, INDICATOR, TICKET},
    ),
    "Audit log failure": Case(
        form={"__log_cause__": "cleared", "__hours_lost__": "3", "__back__": ["false", "true"]}, acts={ISOLATE, TICKET, *SEALED},
    ),
    "Brute force": Case(
        form={"__failures__": "500", "__succeeded__": "true", "__registered__": "false"},
        acts={BLOCK, DISABLE, INDICATOR, TICKET, *SEALED},
    ),
    "Camera or IoT device taken over": Case(
        form={"__critical_point__": "true", "__weak_password__": "true"},
        about={"host__name": "tra-cam-01", "host__zone": "traffic-iot"}, acts={INDICATOR, TICKET, WARNING}, plant=True,
    ),
    "Certificate abuse": Case(
        form={"__cert_use__": "client", "__ours__": "true", "__key_lost__": "true", "__revoke_agreed__": "true"},
        values={"__serial__": "5a:01"}, acts={TICKET, WARNING},
    ),
    "Cross-zone violation": Case(
        form={"__violation__": "attack", "__holds__": "true"},
        about={"source__ip": DATA_HOST, "source__zone": "data-platform"}, acts={BLOCK, TICKET, *SEALED},
    ),
    "Leak from the data platform": Case(
        form={"__records__": "250000", "__personal__": "true", "__authorised__": "false"},
        about={"host__name": "pop-db-01", "host__zone": "data-platform", "destination__ip": DATA_HOST},
        values={"__endpoint__": f"ssh://{DATA_HOST}"}, acts={DISABLE, BLOCK, INDICATOR, TICKET, *SEALED},
    ),
    "DDoS at the edge": Case(
        form={"__ddos_kind__": "application", "__load__": "90", "__ongoing__": ["true", "false"]}, acts={BLOCK, TICKET},
    ),
    "DNS tunnelling": Case(
        form={"__tunnel__": "true", "__megabytes__": "50", "__sink_agreed__": "true"}, values={"__domain__": "evil.example"},
        acts={DIVERT, ISOLATE, INDICATOR, TICKET, *SEALED},
    ),
    "Drill": Case(
        form={"__ready__": "true", "__injects_left__": ["2", "1", "0"], "__stop__": "false", "__score__": "70"},
        values={"__scenario__": "勒索软件"}, acts={TICKET},
    ),
    "Malware on an endpoint": Case(
        form={"__sha256__": SHA256, "__removed__": "false", "__spread__": "true"},
        acts={ISOLATE, BLOCK, INDICATOR, WARNING, TICKET, *SEALED},
    ),
    "Illegal outbound connection": Case(
        form={"__outbound_way__": "wireless", "__data_out__": "true"}, acts={ISOLATE, TICKET, *SEALED},
    ),
    "Export by an insider": Case(
        form={"__approved_export__": "false", "__channel__": "usb", "__records__": "20000"}, acts={DISABLE, TICKET, *SEALED},
    ),
    "Exploited vulnerability": Case(
        form={
            "__affected__": "5", "__remote__": "true", "__patch__": "available", "__shield_agreed__": "true",
            "__exploited__": "true",
        },
        values={"__cve__": "CVE-2026-12345"}, acts={TICKET, WARNING},
    ),
    "Cryptocurrency mining": Case(
        form={"__origin__": "intrusion", "__still__": ["true", "false"]}, acts={BLOCK, ISOLATE, INDICATOR, TICKET, *SEALED},
    ),
    "OT command anomaly": Case(
        form={"__planned__": "false", "__danger__": "true"},
        about={"host__name": "WTR-HMI-01", "host__zone": "water-ot", "destination__ip": PLANT}, acts={TICKET, WARNING, PACKETS},
        plant=True,
    ),
    "Phishing mail": Case(
        form={"__domain__": "evil.example", "__mail_kind__": "credential", "__clicked__": "true"},
        acts={DISABLE, INDICATOR, TICKET, WARNING},
    ),
    "Ransomware": Case(
        form={"__spreading__": "true", "__family__": "lockbit", "__backup_good__": "true", "__segment_agreed__": "true"},
        acts={ISOLATE, TICKET, WARNING, *SEALED},
    ),
    "Poisoned update": Case(
        form={"__poisoned__": "true", "__installed__": "12", "__sha256__": SHA256, "__rollback_agreed__": "true"},
        values={"__product__": "OA 客户端"}, acts={INDICATOR, TICKET, WARNING},
    ),
    "Unknown device": Case(form={"__device_kind__": "unknown"}, acts={ISOLATE, TICKET}),
    "Web shell": Case(
        form={"__sha256__": SHA256, "__executed__": "true", "__passed__": "true"},
        acts={BLOCK, ISOLATE, INDICATOR, TICKET, *SEALED},
    ),
}  # fmt: skip
