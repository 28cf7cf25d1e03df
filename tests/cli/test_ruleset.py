"""cli/ruleset.py: the rules of a running platform, as the console and its API show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.detect_rules import OWN_RULES
from cli.ruleset import CatalogueReader, load_ruleset, write_catalogue
from collectors.parsers import PARSERS
from detectors.rule_sets.catalogue import read_catalogue
from kernel.config import load_config
from kernel.store.lake import Lake
from kernel.zones import ZonePlan
from kernel.zones.table import ZoneTable
from operations.accounts import keys
from operations.accounts import service as accounts
from operations.accounts.schema import Principal
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import RuleCatalogue, Services
from tests.state_database import migrated


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> RuleCatalogue:
    """What the console reads: loaded and written as the worker does."""
    folder = tmp_path_factory.mktemp("rules")
    config = load_config(environ={"LIANDUN_DATA": str(folder)}, formats=PARSERS)
    write_catalogue(load_ruleset(config, lambda: ZoneTable(ZonePlan())), folder / "catalogue.json")
    return CatalogueReader(folder / "catalogue.json")()


def test_every_rule_of_ours_has_its_chinese_title_in_the_api(catalogue: RuleCatalogue, tmp_path: Path) -> None:
    listed = read_catalogue([OWN_RULES / engine for engine in ("sigma", "yara", "suricata")])
    wanted = {entry.title_zh for entry in listed.entries}
    database = migrated(f"sqlite:///{tmp_path / 'state.db'}")
    user = accounts.create_user(database, SYSTEM, "reader", "Correct-Horse-7", "secadmin")
    with database.write() as session:
        token = keys.create_key(session, Principal(user.id, user.name, "", user.role), "test", "read")[1]
    lake = Lake.open(tmp_path / "lake", writable=True)
    services = Services(database=database, store=lake, version="0", rules=lambda: catalogue, health=tuple)
    browser = create_app(services).test_client(use_cookies=False)
    titles: list[str] = []
    cursor = ""
    while True:
        answer = browser.get(f"/api/v1/rules?limit=100&cursor={cursor}", headers={"Authorization": f"Bearer {token}"}).json
        assert answer is not None
        titles += [rule["title_zh"] for rule in answer["rules"]]
        cursor = answer["next_cursor"]
        if not cursor:
            break
    assert len(titles) > len(listed.entries) > 200  # besides the files there are the rules of the zone plan
    assert "" not in titles
    assert wanted <= set(titles)
