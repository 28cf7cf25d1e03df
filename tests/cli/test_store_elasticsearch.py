"""``liandun`` commands with ``engine = "elasticsearch"``, on a real server."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import doctor, search, store
from crypto.secret import MasterKey
from kernel.config import load_config
from kernel.errors import StoreError
from kernel.layout import Layout
from kernel.store.contract import Commit, Quarantined
from kernel.store.elasticsearch.secret_context import SECRET_CONTEXT
from kernel.store.elasticsearch.store import ElasticsearchStore
from kernel.store.open import open_store
from tests.kernel.store.contract_suite import event


@pytest.fixture
def configured(elasticsearch_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LIANDUN_CONFIG", "LIANDUN_STORE_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIANDUN_DATA", str(tmp_path))
    (tmp_path / "liandun.toml").write_text(
        '[store]\nengine = "elasticsearch"\n[store.elasticsearch]\n'
        f'urls = ["{elasticsearch_url}"]\nnamespace = "c{uuid.uuid4().hex[:10]}"\nreplicas = 0\n'
    )
    return tmp_path


def run(command: object, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments))  # type: ignore[arg-type]
    return result.exit_code, result.output


def doctor_line() -> dict[str, str]:
    lines = [json.loads(line) for line in run(doctor.command, "--json")[1].splitlines()]
    return next(line for line in lines if line["check"] == "elasticsearch")


def test_search_stats_quarantine_compact_verify_doctor(configured: Path) -> None:
    assert "no templates yet" in doctor_line()["detail"]
    assert json.loads(run(store.command, "statistics")[1])["events"] == 0
    opened = open_store(load_config(), writable=True)
    bad = [Quarantined("q", event(1)["@timestamp"], "s", "o", "broken", b"\xff")]
    opened.commit(Commit([event(n, user__name="Li") for n in range(3)], bad, counters={"stored": 3}))
    opened.close()
    found = doctor_line()
    assert found["state"] == "ok"
    assert "Elasticsearch 8." in found["detail"]
    assert "templates current" in found["detail"]
    code, output = run(search.command, "user.name:li", "--format", "jsonl", "--data", str(configured))
    assert (code, len(output.splitlines())) == (0, 3)
    assert run(search.command, "* | count")[1].strip() == "3"
    facts = json.loads(run(store.command, "statistics")[1])
    assert (facts["engine"], facts["events"], facts["counters"]) == ("elasticsearch", 3, {"stored": 3})
    assert "broken" in run(store.command, "quarantine")[1]
    assert run(store.command, "compact") == (0, "no new backing index is due\n")
    assert run(store.command, "compact", "--everything") == (0, "a new backing index was begun\n")
    code, output = run(store.command, "verify")
    assert code == 1
    assert "verify is for the embedded lake" in output
    code, output = run(store.command, "retain", "--days", "10")
    assert code == 1


def test_seal_and_templates(configured: Path) -> None:
    result = CliRunner().invoke(store.command, ["seal"], input="geheim\n")
    sealed = result.output.strip()
    assert "geheim" not in sealed
    assert MasterKey.load(Layout(configured).master_key).unseal(sealed, SECRET_CONTEXT) == b"geheim"
    bodies = json.loads(run(store.command, "templates", "--lifecycle")[1])
    assert [path.split("/")[0] for path in bodies] == ["_ilm", *["_component_template"] * 2, *["_index_template"] * 3]


def test_templates_put_by_an_administrator(configured: Path) -> None:
    config = load_config()
    config.store.elasticsearch.manage_templates = False
    opened = open_store(config, writable=True)
    assert isinstance(opened, ElasticsearchStore)
    with pytest.raises(StoreError, match=r"index templates of liandun-events-c.* are missing"):
        opened.commit(Commit([event(1)]))
    headers = {"accept": "application/json", "content-type": "application/json"}
    for path, body in json.loads(run(store.command, "templates")[1]).items():
        opened.server.client.perform_request("PUT", f"/{path}", headers=headers, body=body)
    opened.commit(Commit([event(1)]))
    assert opened.statistics()["events"] == 1
    opened.close()
