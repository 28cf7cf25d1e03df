"""[store]: the event store and how long it keeps events."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.secret import Secret

MINIMUM_RETENTION_DAYS = 180


class StoreElasticsearch(msgspec.Struct, forbid_unknown_fields=True):
    """[store.elasticsearch] — used with ``engine = "elasticsearch"``. See docs/event-store.md.

    password, api_key  sealed text in the file (``./liandun store seal``); plain only in the environment or in a ``…_file``
    prefix, namespace  the store's parts are called ``<prefix>-events-<namespace>`` and so on
    replicas           -1: one as soon as the cluster has a second node
    manage_templates   False where an administrator puts the templates (``./liandun store templates``)
    """

    urls: list[str] = []
    ca_file: Path | None = None
    user: str = ""
    password: Secret = msgspec.field(default_factory=Secret)
    password_file: Path | None = None
    api_key: Secret = msgspec.field(default_factory=Secret)
    api_key_file: Path | None = None
    prefix: str = "liandun"
    namespace: str = "default"
    shards: int = 1
    replicas: int = -1
    manage_templates: bool = True
    timeout_seconds: float = 30.0


class Store(msgspec.Struct, forbid_unknown_fields=True):
    """[store] — the event store. ``engine``: lake (embedded, no server) or elasticsearch."""

    engine: Literal["lake", "elasticsearch"] = "lake"
    retention_days: int = MINIMUM_RETENTION_DAYS
    elasticsearch: StoreElasticsearch = msgspec.field(default_factory=StoreElasticsearch)


def check_store(store: Store, demo: bool, mistakes: Mistakes) -> None:
    """``demo``: a demonstration may drop events earlier."""
    if store.retention_days < MINIMUM_RETENTION_DAYS and not demo:
        mistakes.add(
            "store.retention_days",
            f"{store.retention_days} is less than {MINIMUM_RETENTION_DAYS}: network logs are kept at least six months "
            "(《网络安全法》 on log retention; GB/T 22239-2019 level 3, security audit)",
        )
    _check_secrets(store.elasticsearch, mistakes)
    _check_numbers(store.elasticsearch, mistakes)
    if store.engine == "elasticsearch":
        _check_server(store.elasticsearch, mistakes)


def _check_secrets(settings: StoreElasticsearch, mistakes: Mistakes) -> None:
    for name in ("password", "api_key"):
        secret: Secret = getattr(settings, name)
        if secret and not secret.sealed and mistakes.stands_in_file(f"store.elasticsearch.{name}"):
            mistakes.add(
                f"store.elasticsearch.{name}",
                f"no plain secrets in this file: seal it with ./liandun store seal, or use {name}_file, "
                f"or LIANDUN_STORE_ELASTICSEARCH_{name.upper()}",
            )


def _check_numbers(settings: StoreElasticsearch, mistakes: Mistakes) -> None:
    for name in ("prefix", "namespace"):
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.]{0,60}", getattr(settings, name)):
            mistakes.add(f"store.elasticsearch.{name}", f"{getattr(settings, name)!r}: use lower-case letters, digits, . and _")
    if not 1 <= settings.shards <= 1024:
        mistakes.add("store.elasticsearch.shards", f"{settings.shards} is not between 1 and 1024")
    if not -1 <= settings.replicas <= 5:
        mistakes.add("store.elasticsearch.replicas", f"{settings.replicas} is not between -1 (as the cluster allows) and 5")
    if not 1 <= settings.timeout_seconds <= 3600:
        mistakes.add("store.elasticsearch.timeout_seconds", "must be 1 to 3600")


def _check_server(settings: StoreElasticsearch, mistakes: Mistakes) -> None:
    if not settings.urls:
        mistakes.add("store.elasticsearch.urls", 'is needed with engine = "elasticsearch", e.g. ["https://es1.example.cn:9200"]')
    for url in settings.urls:
        try:
            parts = urlsplit(url)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port is not None
        except ValueError:
            sound = False
        if not sound:
            mistakes.add("store.elasticsearch.urls", "every one is https://HOST:PORT (or http://), IPv6 addresses in brackets")
        elif parts.username or parts.password:
            mistakes.add("store.elasticsearch.urls", "no user or password in a URL: it would be logged; use user and password_file")
    if settings.api_key or settings.api_key_file:
        if settings.user:
            mistakes.add("store.elasticsearch.user", "give either a user or an API key")
    elif settings.user and not (settings.password or settings.password_file):
        mistakes.add("store.elasticsearch.user", "needs password, password_file or LIANDUN_STORE_ELASTICSEARCH_PASSWORD")
