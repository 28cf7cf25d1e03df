"""What a store knows about itself: one document, written last in every commit, and one about retention.

``sequence`` is the number of the last finished commit. Every event and quarantined record carries the number of its commit,
and readers look only at what is not newer than ``sequence``: so a commit becomes visible as a whole, and what a crash left behind
never shows.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch

from kernel.errors import StoreError
from kernel.store.elasticsearch.bounds import Dsl
from kernel.store.elasticsearch.fields import ARRIVAL, MOMENT, SEQUENCE, Layout
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.server import Server

STORE, RETENTION = "store", "retention"


class State(msgspec.Struct):
    """The document ``store``.

    writer   token of the process that wrote it last; another one's commits are refused from then on
    commit   digest of the last commit, by which a writer recognises its own whose answer was lost
    saved    state of each consumer: zlib in base64
    """

    sequence: int = 0
    writer: str = ""
    commit: str = ""
    positions: dict[str, int] = {}
    saved: dict[str, str] = {}
    counters: dict[str, int] = {}
    layout: Layout = Layout()
    version: tuple[int, int] | None = msgspec.field(default=None, name="_version")


class Retained(msgspec.Struct):
    """The document ``retention``: events before ``before`` (microseconds) of commits up to ``sequence`` are gone, if they had also
    arrived before.

    cutoff  the first day that the last run kept, ``YYYY-MM-DD``
    """

    cutoff: str = ""
    before: int = 0
    sequence: int = 0


def dropped(retained: Retained) -> Dsl:
    """Which events retention has dropped, or is about to delete. One without ``event.ingested`` goes by its ``@timestamp``."""
    arrived = {"range": {ARRIVAL: {"gte": f"{retained.cutoff}T00:00:00.000000Z"}}}
    old: list[Dsl] = [{"range": {MOMENT: {"lt": retained.before}}}, {"range": {SEQUENCE: {"lte": retained.sequence}}}]
    return {"bool": {"filter": old, "must_not": [arrived]}}


class Snapshot(msgspec.Struct):
    """What a reader goes by for one question."""

    state: State = msgspec.field(default_factory=State)
    retained: Retained = msgspec.field(default_factory=Retained)


def pack(state: bytes) -> str:
    """A consumer's state as text."""
    return base64.b64encode(zlib.compress(state, 1)).decode()


def unpack(text: str) -> bytes:
    """Inverse of :func:`pack`."""
    return zlib.decompress(base64.b64decode(text))


def load(server: Server, names: Names, *, saved: bool) -> Snapshot:
    """Both documents as they are now (a get needs no refresh). ``saved`` False leaves out the consumers' states: they are large."""

    def question(client: Elasticsearch) -> Any:
        try:
            return client.mget(index=names.state, ids=[STORE, RETENTION], source_excludes=None if saved else ["saved"])
        except elasticsearch.NotFoundError:
            return {"docs": []}

    found: dict[str, Any] = {}
    version: tuple[int, int] | None = None
    for document in server.ask(question)["docs"]:
        if document.get("found"):
            found[document["_id"]] = document["_source"]
            if document["_id"] == STORE:
                version = int(document["_seq_no"]), int(document["_primary_term"])
        elif "error" in document and "index_not_found" not in str(document["error"]):
            raise StoreError(f"the state of the store cannot be read: {str(document['error'])[:200]}")
    try:
        state = msgspec.convert(found.get(STORE, {}), State)
        retained = msgspec.convert(found.get(RETENTION, {}), Retained)
    except msgspec.ValidationError as error:
        raise StoreError(f"the state of the store is of another version: {error}", f"see the index {names.state}") from error
    state.version = version
    return Snapshot(state, retained)


def version(server: Server, names: Names) -> tuple[int, int] | None:
    """Which version of the document ``store`` there is."""

    def question(client: Elasticsearch) -> tuple[int, int] | None:
        try:
            found = client.get(index=names.state, id=STORE, source=False)
        except elasticsearch.NotFoundError:
            return None
        return int(found["_seq_no"]), int(found["_primary_term"])

    return server.ask(question)


def save(server: Server, names: Names, state: State) -> None:
    """Write the document ``store`` if nobody else has since it was read. Raises StoreError."""
    version = state.version
    document = {name: value for name, value in msgspec.to_builtins(state).items() if name != "_version"}

    def question(client: Elasticsearch) -> Any:
        try:
            if version is None:
                return client.create(index=names.state, id=STORE, document=document)
            return client.index(index=names.state, id=STORE, document=document, if_seq_no=version[0], if_primary_term=version[1])
        except elasticsearch.ConflictError as error:
            raise StoreError(
                "the state of the store has changed meanwhile", "one writer per store: another process writes"
            ) from error

    answer = server.ask(question)
    state.version = int(answer["_seq_no"]), int(answer["_primary_term"])


def save_retained(server: Server, names: Names, retained: Retained) -> None:
    """Write the document ``retention``."""
    server.ask(lambda client: client.index(index=names.state, id=RETENTION, document=msgspec.to_builtins(retained)))
