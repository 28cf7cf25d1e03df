"""Putting the templates on the server, and rolling the data stream over."""

from __future__ import annotations

import logging
import time
from typing import Any

import elasticsearch
import msgspec

from kernel.config import StoreElasticsearch
from kernel.errors import StoreError
from kernel.store.elasticsearch.generations import Generations
from kernel.store.elasticsearch.mapping import Names, components, fingerprint, lifecycle_policy, templates
from kernel.store.elasticsearch.server import Capabilities, Server

log = logging.getLogger(__name__)

DAY_SECONDS = 86_400
_FEW_EVENTS = 100_000
_OLDEST_SECONDS = 7 * DAY_SECONDS
_LARGEST = "40gb"


def parts(names: Names, settings: StoreElasticsearch, lifecycle: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Component templates, index templates, and the fingerprint of both."""
    small, whole = components(names, settings, lifecycle), templates(names, settings)
    return small, whole, fingerprint(small, whole)


def template_bodies(settings: StoreElasticsearch, *, lifecycle: bool) -> dict[str, Any]:
    """API path → body of everything that has to be put before the first write, in order."""
    names = Names(settings.prefix, settings.namespace)
    policy = names.of("lifecycle") if lifecycle else ""
    small, whole, wanted = parts(names, settings, policy)
    found: dict[str, Any] = {f"_ilm/policy/{policy}": {"policy": lifecycle_policy()}} if policy else {}
    found |= {f"_component_template/{name}": body for name, body in small.items()}
    return found | {f"_index_template/{name}": body | {"_meta": {"fingerprint": wanted}} for name, body in whole.items()}


def installed(server: Server, names: Names) -> str:
    """Fingerprint of the templates on the server, "" where there are none."""

    def question(client: elasticsearch.Elasticsearch) -> str:
        try:
            answer = client.indices.get_index_template(name=names.events)
        except elasticsearch.NotFoundError:
            return ""
        return str(answer["index_templates"][0]["index_template"].get("_meta", {}).get("fingerprint", "?"))

    return server.ask(question)


def install(server: Server, names: Names, settings: StoreElasticsearch, generations: Generations) -> Capabilities:
    """Make the server ready to be written to: once per start of the writer. Raises StoreError."""
    capabilities = server.capabilities()
    found = installed(server, names)
    lifecycle = policy_of(names, settings, found)
    if lifecycle is None:
        if not settings.manage_templates:
            raise StoreError(
                f"the index templates of {names.events} are {'not current' if found else 'missing'}",
                "an administrator puts what ./liandun store templates prints, or set manage_templates = true",
            )
        lifecycle = names.of("lifecycle") if capabilities.lifecycle and _put_policy(server, names.of("lifecycle")) else ""
        _put_templates(server, names, settings, lifecycle, mark=False)
        if found and generations.all(fresh=True):
            roll_over(server, names)
            generations.all(fresh=True)
        _put_templates(server, names, settings, lifecycle, mark=True)
    how = "rollover and merging by its ILM" if lifecycle else "rollover by Liandun"
    log.info("%s; chosen: %s, retention by Liandun, keyword fields everywhere", capabilities, how)
    return msgspec.structs.replace(capabilities, lifecycle=bool(lifecycle))


def policy_of(names: Names, settings: StoreElasticsearch, found: str) -> str | None:
    """The lifecycle policy that the templates with this fingerprint name ("": none), or None where they are not current."""
    return next((policy for policy in ("", names.of("lifecycle")) if found == parts(names, settings, policy)[2]), None)


def _put_templates(server: Server, names: Names, settings: StoreElasticsearch, lifecycle: str, *, mark: bool) -> None:
    """The template of the events carries the mark that all is done: whoever is killed before it begins again."""
    small, whole, fingerprint_of_both = parts(names, settings, lifecycle)
    if mark:
        _put_template(server, names.events, whole[names.events] | {"meta": {"fingerprint": fingerprint_of_both}})
        return
    for name, body in small.items():
        _put_component(server, name, body)
    for name, body in whole.items():
        _put_template(server, name, body)


def _put_policy(server: Server, name: str) -> bool:
    """False where the account may not."""

    def question(client: elasticsearch.Elasticsearch) -> bool:
        try:
            client.ilm.put_lifecycle(name=name, policy=lifecycle_policy())
        except elasticsearch.AuthorizationException:
            return False
        return True

    return server.ask(question)


def _put_component(server: Server, name: str, body: dict[str, Any]) -> None:
    server.ask(lambda client: client.cluster.put_component_template(name=name, **body))


def _put_template(server: Server, name: str, body: dict[str, Any]) -> None:
    server.ask(lambda client: client.indices.put_index_template(name=name, **body))


def roll_over(server: Server, names: Names, conditions: dict[str, Any] | None = None) -> bool:
    """Begin a new backing index (if any condition holds); True when it was done."""
    answer = server.ask(lambda client: client.indices.rollover(alias=names.events, conditions=conditions))
    return bool(answer["rolled_over"])


def roll_over_if_due(server: Server, names: Names, generations: Generations) -> bool:
    """One backing index a day where there are enough events, so that retention can drop whole indices; at most 40 GB in a shard."""
    every = generations.all()
    if not every:
        return False
    age = time.time() - every[-1].created
    conditions: dict[str, Any] = {"max_primary_shard_size": _LARGEST}
    if age > _OLDEST_SECONDS:
        conditions["min_docs"] = 1
        conditions["max_age"] = "7d"
    elif int(time.time() // DAY_SECONDS) > int(every[-1].created // DAY_SECONDS):
        conditions["max_docs"] = _FEW_EVENTS
    rolled = roll_over(server, names, conditions)
    if rolled:
        generations.all(fresh=True)
    return rolled
