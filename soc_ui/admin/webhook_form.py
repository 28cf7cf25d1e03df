"""The form of a webhook: which fields a kind has, and what was filled in as settings. Routing has a form of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from operations.webhooks.channels.apprise_schemes import FIXED, HOSTED
from operations.webhooks.channels.kafka import MECHANISMS
from operations.webhooks.channels.registry import CHANNELS
from operations.webhooks.schema import TargetRecord
from soc_ui.locale import _


def kind_names() -> dict[str, str]:
    """The kinds of webhooks, as people call them."""
    return {
        "standard": _("Signed JSON"), "cloudevents": "CloudEvents", "dingtalk": _("DingTalk"),
        "wecom": _("WeCom"), "feishu": _("Feishu"),
        "mail": _("E-mail"), "cef": "Syslog CEF", "leef": "Syslog LEEF", "kafka": _("Kafka topic"),
        "apprise": _("Other service (apprise)"),
    }  # fmt: skip


def fields_of(kind: str) -> dict[str, Any]:
    """What the form asks for: flags by name, and the beginning of a URL."""
    channel = CHANNELS[kind]
    return {
        "sm3": channel.credential == "made",
        "given": channel.credential == "given",
        "chat": channel.chat,
        "mail": kind == "mail",
        "kafka": kind == "kafka",
        "apprise": sorted(FIXED | HOSTED) if kind == "apprise" else [],
        "mechanisms": MECHANISMS,
        "start": {"mail": "smtp://", "cef": "tls://", "leef": "tls://", "kafka": "kafkas://", "apprise": "tgram://"}.get(
            kind, "https://"
        ),
    }


def settings_in(kind: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The settings of this kind as they were filled in."""
    asked = fields_of(kind)
    found: dict[str, Any] = {"ca": form.get("ca", "")}
    if asked["sm3"]:
        found["sm3"] = form.get("sm3") == "on"
    if asked["chat"]:
        found |= {"language": form.get("language", "zh"), "template": form.get("template", "").replace("\r\n", "\n")}
    if asked["mail"]:
        found |= {"from": form.get("from", ""), "user": form.get("user", "")}
        found["to"] = [one for one in re.split(r"[\s,;]+", form.get("to", "")) if one]
    if asked["kafka"]:
        found |= {name: form.get(name, "") for name in ("topic", "user", "mechanism")}
    return found


def filled(target: TargetRecord | None, form: Mapping[str, str]) -> dict[str, Any]:
    """Values of the form: what was entered, else what the target has, else what a new one begins with."""
    settings: Mapping[str, Any] = target.settings if target else {}
    values = {
        "name": target.name if target else "", "url": target.url if target else "",
        "min_level": target.min_level if target else "medium",
        "language": settings.get("language", "zh"), "template": settings.get("template", ""), "ca": settings.get("ca", ""),
        "from": settings.get("from", ""), "to": ", ".join(settings.get("to", [])), "user": settings.get("user", ""),
        "topic": settings.get("topic", ""), "mechanism": settings.get("mechanism", ""),
        "sm3": "on" if settings.get("sm3") else "",
    }  # fmt: skip
    if form:
        values |= {name: form.get(name, "") for name in values}
    return values
