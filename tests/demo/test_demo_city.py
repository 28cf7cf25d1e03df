"""The estate and its zone plan: sound, complete, and one with each other."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from cli.demo import command
from demo.estate import lanting
from demo.zone_plan import lanting_plan
from kernel.zones import ZoneTable
from kernel.zones.plan import LAYERS, Conduit, check, read_plan
from tests.conftest import ROOT

TODAY = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def test_a_city_of_some_two_hundred_machines_on_every_layer() -> None:
    plan = lanting_plan(TODAY)
    layer = {zone.id: zone.layer for zone in plan.zones}
    per_layer = Counter(layer[host.zone] for host in lanting().hosts)
    assert 200 <= len(lanting().hosts) <= 260
    assert per_layer.keys() == LAYERS.keys()
    assert min(per_layer.values()) >= 7
    assert len({host.bureau for host in lanting().hosts}) >= 7


def test_no_two_machines_share_a_name_an_address_or_a_card() -> None:
    hosts = lanting().hosts
    for values in ([h.name for h in hosts], [h.ip for h in hosts], [h.ip6 for h in hosts if h.ip6], [h.mac for h in hosts]):
        assert len(set(values)) == len(values)
    users = [host.user for host in hosts if host.user]
    assert len(set(users)) == len(users)


def test_nothing_points_to_a_real_device() -> None:
    for host in lanting().hosts:
        assert ipaddress.ip_address(host.ip) in ipaddress.ip_network("10.0.0.0/8")
        assert not host.ip6 or ipaddress.ip_address(host.ip6) in ipaddress.ip_network("2001:db8::/32")
        assert int(host.mac[:2], 16) & 3 == 2, "locally administered, not a group address (IEEE 802)"


def test_video_devices_have_ids_of_twenty_digits() -> None:
    """GB/T 28181-2022 annex E: centre (8 digits), trade (2), kind (3), network (1), number (6)."""
    ids = [host.gb_id for host in lanting().hosts if host.kind in ("camera", "nvr", "video")]
    assert len(set(ids)) == len(ids) > 30
    assert all(re.fullmatch(r"99010100\d\d(132|118|200)0\d{6}", one) for one in ids)


def test_every_machine_stands_in_the_zone_that_its_addresses_say() -> None:
    table = ZoneTable(lanting_plan(TODAY))
    for host in lanting().hosts:
        assert {table.zone_of(address) for address in (host.ip, host.ip6) if address} == {host.zone}
        assert table.asset_of(host.ip) == table.asset_of_mac(host.mac) == table.asset_of_name(host.fqdn) == host.name.lower()


def test_the_plan_is_sound() -> None:
    assert list(check(lanting_plan(TODAY))) == []


def test_the_command_writes_a_file_that_reads_back_as_the_plan(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["plan", "--out", str(tmp_path / "plan.yml")])
    assert result.exit_code == 0, result.output
    assert read_plan((tmp_path / "plan.yml").read_text("utf-8")) == lanting_plan(datetime.now(UTC))


@pytest.mark.parametrize(("conduit", "ends"), [("health-pilot", 6), ("water-maintenance", -26)])
def test_one_conduit_is_about_to_end_and_one_has_ended(conduit: str, ends: int) -> None:
    until = next(one.until for one in lanting_plan(TODAY).conduits if one.id == conduit)
    midnight = datetime(2026, 11, 25, tzinfo=UTC) - timedelta(hours=8)
    assert datetime.fromisoformat(until) == midnight + timedelta(days=ends)


def test_the_conduit_that_the_documentation_makes_by_the_api_is_a_new_one_of_this_city() -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    example = re.search(r"""-d '(\{"from".*?\})' "\$URL/conduits/([a-z-]+)""", text)
    assert example is not None
    conduit = msgspec.convert(json.loads(example[1]) | {"id": example[2]}, Conduit)
    plan = lanting_plan(datetime.now(UTC))
    assert conduit.id not in {one.id for one in plan.conduits}
    assert list(check(msgspec.structs.replace(plan, conduits=(*plan.conduits, conduit)))) == []
