"""Documents of playbooks that tests start from: small, right, and made anew at each call."""

from __future__ import annotations

import json
from typing import Any

from playbooks.model import Playbook
from playbooks.reading import read

Json = dict[str, Any]


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


START, END, FIRST = f"start--{uuid(1)}", f"end--{uuid(2)}", f"action--{uuid(3)}"
IF, ON_TRUE, TRUE_END = f"if-condition--{uuid(4)}", f"action--{uuid(5)}", f"end--{uuid(6)}"
AGENT, FIREWALL, PERSON, LOGIN = f"liandun--{uuid(7)}", f"http-api--{uuid(8)}", f"individual--{uuid(9)}", f"http-basic--{uuid(10)}"


def document(**changes: Any) -> Json:
    """Block an address, and tell a person where that failed; ``changes`` replace properties of the playbook."""
    found: Json = {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{uuid(100)}",
        "name": "封禁攻击地址",
        "created_by": f"identity--{uuid(101)}",
        "created": "2026-11-27T06:30:00.000Z",
        "modified": "2026-11-27T06:30:00.000Z",
        "workflow_start": START,
        "playbook_variables": {
            "__ip__": {"type": "ipv4-addr", "external": True, "value": "203.0.113.9"},
            "__answer__": {"type": "integer", "value": "0"},
            "__gateway__": {"type": "string", "value": "gw-1", "constant": True},
        },
        "workflow": {
            START: {"type": "start", "on_completion": FIRST},
            FIRST: {
                "type": "action",
                "name": "Block",
                "commands": [
                    {
                        "type": "http-api",
                        "command": "POST /block/__ip__:value HTTP/1.1",
                        "headers": {"Content-Type": ["application/json"]},
                        "content": '{"gateway": "__gateway__:value"}',
                    }
                ],
                "agent": AGENT,
                "targets": [FIREWALL],
                "out_args": ["__answer__"],
                "on_completion": IF,
            },
            IF: {
                "type": "if-condition",
                "condition": "__answer__:value >= 400",
                "on_true": ON_TRUE,
                "on_completion": END,
            },
            ON_TRUE: {
                "type": "action",
                "commands": [{"type": "manual", "command": "Block __ip__:value by hand"}],
                "agent": PERSON,
                "on_completion": TRUE_END,
            },
            TRUE_END: {"type": "end"},
            END: {"type": "end"},
        },
        "agent_definitions": {
            AGENT: {"type": "liandun", "name": "Liandun"},
            PERSON: {"type": "individual", "name": "Duty officer"},
        },
        "target_definitions": {
            FIREWALL: {
                "type": "http-api",
                "name": "Firewall",
                "address": {"ipv4": ["192.0.2.1"], "ipv6": ["2001:db8::1"], "url": ["https://fw.example.org"]},
                "authentication_info": LOGIN,
            }
        },
        "authentication_info_definitions": {
            LOGIN: {"type": "http-basic", "user_id": "liandun", "kms": True, "kms_key_identifier": "firewall"}
        },
    }
    found.update(changes)
    return found


def playbook(found: Json | None = None) -> Playbook:
    return read(octets(document() if found is None else found))


def octets(found: Any) -> bytes:
    return json.dumps(found, ensure_ascii=False).encode()


def action(**more: Any) -> Json:
    """An action that a person does."""
    return {"type": "action", "commands": [{"type": "manual", "command": "look"}], "agent": PERSON, **more}
