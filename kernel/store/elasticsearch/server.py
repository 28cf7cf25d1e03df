"""One connection to an Elasticsearch cluster: what it can do, and its errors in our words.

Passwords and keys are read when the connection is made and stand in no message, log line or repr.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import elastic_transport
import elasticsearch
import msgspec
from elasticsearch import Elasticsearch, OrjsonSerializer

from crypto.secret import MasterKey, SecretError
from kernel.config import Secret, StoreElasticsearch
from kernel.errors import QueryError, StoreError
from kernel.store import stopping
from kernel.store.elasticsearch.hanging_up import Node
from kernel.store.elasticsearch.secret_context import SECRET_CONTEXT
from kernel.store.time_limit import time_left, too_long

log = logging.getLogger(__name__)
logging.getLogger("elastic_transport").setLevel(logging.WARNING)  # it tells every request otherwise

MAJOR = 8
_BUSY = (429, 503)
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between tries while the server says that it is too busy (429: queue full or circuit breaker)."""

_JSON = {"accept": "application/json", "content-type": "application/json"}

_Answer = TypeVar("_Answer")


class TooComplexError(Exception):
    """The server gives up on a pattern of the query: ask in a simpler way and verify."""


class Capabilities(msgspec.Struct, frozen=True):
    """What a server can do beyond search and bulk: asked once, by trying."""

    version: str
    lifecycle: bool  # index lifecycle management (ILM)
    data_stream_calls: bool  # GET/PUT/DELETE _data_stream
    by_query: bool  # _delete_by_query
    wildcard_type: bool
    licence: str

    def __str__(self) -> str:
        features = {
            "ILM": self.lifecycle,
            "_data_stream calls": self.data_stream_calls,
            "_delete_by_query": self.by_query,
            "wildcard fields": self.wildcard_type,
        }
        told = ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in features.items())
        return f"Elasticsearch {self.version}, licence {self.licence or 'unknown'}; {told}"


class Server:
    """Made anew in a process that was forked. ``patience``: seconds after which a search is given up."""

    def __init__(self, settings: StoreElasticsearch, *, master_key: Callable[[], MasterKey] | None, patience: float) -> None:
        self.patience = patience
        self._settings = settings
        self._master_key = master_key
        self._lock = threading.Lock()
        self._client: Elasticsearch | None = None
        self._process = 0

    @property
    def client(self) -> Elasticsearch:
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._client = self._connect()
                self._process = os.getpid()
            return self._client

    def _connect(self) -> Elasticsearch:
        settings = self._settings
        options: dict[str, Any] = {}
        if settings.ca_file is not None:
            options["ca_certs"] = str(settings.ca_file)
        if api_key := self._secret("api_key", settings.api_key, settings.api_key_file):
            options["api_key"] = api_key
        elif settings.user:
            options["basic_auth"] = (settings.user, self._secret("password", settings.password, settings.password_file))
        try:
            return Elasticsearch(
                settings.urls,
                node_class=Node,
                serializer=OrjsonSerializer(),
                request_timeout=settings.timeout_seconds,
                max_retries=max(1, len(settings.urls) - 1),  # another node; what no node takes is ours to try again
                retry_on_status=(502, 504),
                **options,
            )
        except (ValueError, OSError) as error:
            raise StoreError(f"the Elasticsearch settings cannot be used: {error}", "see [store.elasticsearch]") from None

    def _secret(self, name: str, secret: Secret, file: Path | None) -> str:
        try:
            if secret.sealed:
                if self._master_key is None:
                    raise StoreError(f"[store.elasticsearch] {name} is sealed, but there is no master key here")
                return self._master_key().unseal(secret.reveal(), SECRET_CONTEXT).decode()
            if not secret and file is not None:
                return file.read_text("utf-8").strip()
        except SecretError as error:
            raise StoreError(f"[store.elasticsearch] {name}: {error}", "seal it again: ./liandun store seal") from error
        except OSError as error:
            raise StoreError(f"[store.elasticsearch] {name}_file {file} cannot be read: {error.strerror}") from error
        return secret.reveal()

    def close(self) -> None:
        with self._lock:
            if self._client is not None and self._process == os.getpid():
                self._client.close()
            self._client = None

    def ask(self, question: Callable[[Elasticsearch], _Answer], *, searching: bool = False) -> _Answer:
        """Put a question to the server; waits and asks again while it is too busy.

        Raises StoreError (unreachable, refused, too busy for long); when searching also QueryError (cannot be answered) and
        TooComplexError.
        """
        for pause in (*_PAUSES, None):
            try:
                return question(self.client)
            except elasticsearch.ApiError as error:
                if error.status_code in _BUSY and pause is not None:
                    time.sleep(pause)
                    continue
                raise self.translated(error, searching=searching) from error
            except elastic_transport.TransportError as error:
                stopping.check()  # it was we who hung up
                raise self.unreachable(error) from error
        raise AssertionError("unreachable")

    def search(self, body: dict[str, Any], index: str) -> dict[str, Any]:
        """One search, cancelled on the server once the patience is over (QueryError). ``_shards`` tells which failed."""
        patience = time_left(self.patience)

        def question(client: Elasticsearch) -> dict[str, Any]:
            timed = client.options(request_timeout=patience + 10, max_retries=0)  # a dropped connection cancels the search
            answer = timed.search(
                index=index, body={"timeout": f"{max(1, int(patience * 1000))}ms", **body}, ignore_unavailable=True
            )
            return dict(answer.body)

        try:
            answer = self.ask(question, searching=True)
        except _TookTooLongError as error:
            raise self.too_long() from error
        if answer.get("timed_out"):
            raise self.too_long()
        failures = answer["_shards"].get("failures", ())
        for failure in failures:
            fault = translated_fault(400, failure.get("reason", {}))
            if fault is not None:
                raise fault
        return answer

    def too_long(self) -> QueryError:
        return too_long(self.patience)

    def translated(self, error: elasticsearch.ApiError, *, searching: bool = False) -> Exception:
        """An error of the server as ours."""
        if error.status_code in (401, 403):
            return refused_by_rights(_reason(error))
        if error.status_code in _BUSY:
            return StoreError(
                f"Elasticsearch is too busy: {_reason(error)[:300]}", "it is tried again; give the cluster more memory"
            )
        cause = error.body.get("error", {}) if isinstance(error.body, dict) else {}
        fault = translated_fault(error.status_code, cause if isinstance(cause, dict) else {})
        if fault is not None and searching:
            return fault
        return StoreError(f"Elasticsearch answers {error.status_code}: {_reason(error)[:300]}")

    def unreachable(self, error: elastic_transport.TransportError) -> StoreError:
        if isinstance(error, elastic_transport.ConnectionTimeout):
            return _TookTooLongError(
                f"Elasticsearch at {', '.join(self._settings.urls)} does not answer in time", "it is tried again; is it overloaded?"
            )
        kind = "has no certificate we trust" if isinstance(error, elastic_transport.TlsError) else "cannot be reached"
        reason = re.sub(r"\s+", " ", str(error.message))[:300]
        return StoreError(
            f"Elasticsearch at {', '.join(self._settings.urls)} {kind}: {reason}",
            "see ca_file in [store.elasticsearch]" if "certificate" in kind else "is it running, is the address right?",
        )

    def capabilities(self) -> Capabilities:
        """Try what the server can do; what we may not ask counts as absent. Raises StoreError for another product or version."""
        facts = self.ask(lambda client: client.info())
        version = str(facts["version"]["number"])
        if int(version.split(".")[0]) != MAJOR:
            raise StoreError(f"Elasticsearch {version} is not supported", f"version {MAJOR} is; client and server must agree")
        probe = {
            "index_patterns": ["liandun-probe-of-field-types"],
            "template": {"mappings": {"properties": {"x": {"type": "wildcard"}}}},
        }
        return Capabilities(
            version=version,
            lifecycle=self._answers("GET", "/_ilm/policy/liandun-probe", missing=True),
            data_stream_calls=self._answers("GET", "/_data_stream/_stats"),
            by_query=self._answers(
                "POST", "/liandun-probe-*/_delete_by_query?allow_no_indices=true", {"query": {"match_none": {}}}
            ),
            wildcard_type=self._answers("POST", "/_index_template/_simulate", probe),
            licence=self._licence(),
        )

    def cluster_health(self) -> dict[str, Any]:
        """Empty where we may not ask."""
        answer = self._raw("GET", "/_cluster/health")
        return answer if isinstance(answer, dict) else {}

    def _answers(self, method: str, path: str, body: dict[str, Any] | None = None, *, missing: bool = False) -> bool:
        """Whether a call exists. ``missing``: 404 is an answer too (the call looks for something that is not there)."""
        try:
            self.client.perform_request(method, path, headers=_JSON, body=body)
        except elasticsearch.NotFoundError:
            return missing
        except (elasticsearch.ApiError, elastic_transport.TransportError):
            return False
        return True

    def _licence(self) -> str:
        answer = self._raw("GET", "/_license")
        return str(answer.get("license", {}).get("type", "")) if isinstance(answer, dict) else ""

    def _raw(self, method: str, path: str) -> Any:
        try:
            return self.client.perform_request(method, path, headers=_JSON).body
        except (elasticsearch.ApiError, elastic_transport.TransportError):
            return None


def refused_by_rights(reason: str) -> StoreError:
    """The account may not do this, or is none."""
    return StoreError(
        f"Elasticsearch refuses this: {reason[:300]}",
        "check user, password or API key; docs/event-store.md lists the privileges that are needed",
    )


class _TookTooLongError(StoreError):
    """No answer within the time for one request."""


def translated_fault(status: int, cause: dict[str, Any]) -> Exception | None:
    """A fault of a query (QueryError, TooComplexError, StoreError for a breaker), or None for another."""
    text = " ".join(_causes(cause))
    if "too_complex" in text or "eterminiz" in text or "too large" in text:
        return TooComplexError(text[:300])
    if ("too_many" in text and "clause" in text) or "too_many_buckets" in text:
        return QueryError("the query has too many conditions for this server", "ask in several queries")
    if "circuit_breaking" in text or "es_rejected" in text:
        return StoreError(f"Elasticsearch is too busy: {text[:300]}", "it is tried again; give the cluster more memory")
    if status == 400 and any(word in text for word in ("parsing_exception", "query_shard", "illegal_argument", "search_phase")):
        return QueryError(f"the store cannot run this query: {text[:300]}", "simplify it")
    return None


def _causes(cause: dict[str, Any]) -> list[str]:
    found = [str(cause.get("type", "")), str(cause.get("reason", ""))]
    for inner in (*cause.get("root_cause", ()), *([cause["caused_by"]] if isinstance(cause.get("caused_by"), dict) else [])):
        found += _causes(inner)
    for failed in cause.get("failed_shards", ()):
        found += _causes(failed.get("reason", {}))
    return found


def _reason(error: elasticsearch.ApiError) -> str:
    cause = error.body.get("error", {}) if isinstance(error.body, dict) else {}
    if isinstance(cause, dict):
        return f"{cause.get('type', '')}: {cause.get('reason', '')}"
    return str(cause or error.message)
