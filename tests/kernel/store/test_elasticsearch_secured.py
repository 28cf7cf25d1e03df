"""A node with users and TLS: least privileges, sealed secrets, and a node that is killed and started again."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from elasticsearch import Elasticsearch

from crypto.secret import MasterKey
from kernel.config import Secret, StoreElasticsearch
from kernel.errors import StoreError
from kernel.query import parse_query
from kernel.store.contract import Commit
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.privileges import reader_role, writer_role
from kernel.store.elasticsearch.secret_context import SECRET_CONTEXT
from kernel.store.elasticsearch.store import ElasticsearchStore
from tests.elasticsearch_node import Node, running_node
from tests.kernel.store.contract_suite import ALWAYS, event, ids

ADMIN, WRITER, READER = "admin-Pa55word", "writer-Pa55word", "reader-Pa55word"


def make_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Certificate, key and CA of a node on 127.0.0.1, as PEM files."""
    now = datetime.datetime.now(datetime.UTC)

    def build(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, *, ca: bool
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
        return builder.sign(signer, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    files = folder / "node.crt", folder / "node.key", folder / "ca.crt"
    files[0].write_bytes(build("node", key, "ca", ca_key, ca=False).public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files[2].write_bytes(build("ca", ca_key, "ca", ca_key, ca=True).public_bytes(serialization.Encoding.PEM))
    return files


class Secured(msgspec.Struct):
    node: Node
    ca: Path
    admin: Elasticsearch

    def settings(self, namespace: str, user: str, password: str) -> StoreElasticsearch:
        return StoreElasticsearch(
            urls=[f"https://127.0.0.1:{self.node.port}"],
            ca_file=self.ca,
            user=user,
            password=Secret(password),
            namespace=namespace,
            replicas=0,
        )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    certificate, key, ca = make_certificates(tmp_path_factory.mktemp("certificates"))
    with running_node("--security", ADMIN, "--tls", str(certificate), str(key), str(ca)) as node:
        admin = Elasticsearch(f"https://127.0.0.1:{node.port}", ca_certs=str(ca), basic_auth=("elastic", ADMIN), request_timeout=60)
        yield Secured(node, ca, admin)
        admin.close()


def with_accounts(secured: Secured, namespace: str) -> Names:
    names = Names("liandun", namespace)
    for user, password, role in (("writer", WRITER, writer_role(names)), ("reader", READER, reader_role(names))):
        secured.admin.security.put_role(name=f"{user}-{namespace}", **role)
        secured.admin.security.put_user(username=f"{user}-{namespace}", password=password, roles=[f"{user}-{namespace}"])
    return names


@pytest.mark.slow
def test_least_privileges_are_enough_and_needed(secured: Secured, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    names = with_accounts(secured, "roles")
    writer = ElasticsearchStore(secured.settings("roles", "writer-roles", WRITER), writable=True)
    reader = ElasticsearchStore(secured.settings("roles", "reader-roles", READER), writable=False)
    assert reader.count(parse_query("*"), ALWAYS) == 0
    old = event(2) | {"@timestamp": "2026-01-01T00:00:00.000000Z"}
    writer.commit(Commit([event(1, user__name="Li"), old], consumer="c", position=5, counters={"stored": 2}))
    assert reader.consumer("c") == (5, None)
    time.sleep(1.1)  # another process looks once a second
    assert ids(reader.search(parse_query("user.name:li"), ALWAYS).events) == [event(1)["event.id"]]
    assert reader.statistics()["events"] == 2
    assert writer.compact(everything=True) == 1
    assert writer.retain(180, "2026-11-23T00:00:00.000000Z") == 1
    writer.commit(Commit([event(3)]))
    assert writer.count(parse_query("*"), ALWAYS) == 2
    assert writer.examine().templates == reader.examine().templates == "current"
    with pytest.raises(StoreError, match="refuses"):
        ElasticsearchStore(secured.settings("roles", "reader-roles", READER), writable=True).commit(Commit([event(4)]))
    other = secured.settings("other", "writer-roles", WRITER)
    with pytest.raises(StoreError, match="refuses"):
        ElasticsearchStore(other, writable=True).commit(Commit([event(4)]))
    assert names.events == "liandun-events-roles"
    for password in (WRITER, READER):
        assert password not in caplog.text
        assert password not in repr(writer.settings)
    writer.close()
    reader.close()


@pytest.mark.slow
def test_wrong_password_wrong_ca_sealed_password_and_api_key(secured: Secured, tmp_path: Path) -> None:
    with_accounts(secured, "keys")
    with pytest.raises(StoreError, match="refuses") as refused:
        ElasticsearchStore(secured.settings("keys", "writer-keys", "Wr0ngPassword"), writable=False).counters()
    assert "Wr0ngPassword" not in str(refused.value)
    untrusting = secured.settings("keys", "writer-keys", WRITER)
    untrusting.ca_file = None
    with pytest.raises(StoreError, match="certificate"):
        ElasticsearchStore(untrusting, writable=False).counters()
    key_file = tmp_path / "secret" / "master.key"
    key_file.parent.mkdir()
    sealed = MasterKey.load(key_file).seal(WRITER.encode(), SECRET_CONTEXT)
    store = ElasticsearchStore(
        secured.settings("keys", "writer-keys", sealed), writable=True, master_key=lambda: MasterKey.load(key_file)
    )
    store.commit(Commit([event(1)]))
    store.close()
    created = secured.admin.security.create_api_key(name="k", role_descriptors={"w": writer_role(Names("liandun", "keys"))})
    settings = secured.settings("keys", "", "")
    settings.api_key_file = tmp_path / "api.key"
    settings.api_key_file.write_text(created["encoded"] + "\n")
    by_key = ElasticsearchStore(settings, writable=True)
    by_key.commit(Commit([event(2)]))
    assert by_key.count(parse_query("*"), ALWAYS) == 2
    by_key.close()


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_nine_of_the_node(secured: Secured) -> None:
    with_accounts(secured, "killed")
    store = ElasticsearchStore(secured.settings("killed", "writer-killed", WRITER), writable=True)
    for part in range(5):
        batch = [event(part * 100 + n) for n in range(100)]
        store.commit(Commit(batch, consumer="c", position=part + 1, state=b"s", counters={"stored": 100}))
    secured.node.kill_nine()
    with pytest.raises(StoreError, match="cannot be reached"):
        store.commit(Commit([event(900)], consumer="c", position=6, counters={"stored": 1}))
    secured.node.start()
    store.commit(Commit([event(900)], consumer="c", position=6, counters={"stored": 1}))
    assert store.count(parse_query("*"), ALWAYS) == 501
    assert store.counters() == {"stored": 501}
    store.close()
