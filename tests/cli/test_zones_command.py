"""``./liandun zones`` from the outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.zones.plan import read_plan
from kernel.zones.snapshot import ZoneSource
from tests.conftest import ROOT

PLAN = """
zones:
  - {id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16]}
  - {id: data, name: 数据平台, layer: cloud, ranges: ["2001:db8:50::/48"]}
conduits:
  - {id: office-data, from: office, to: data, services: https}
"""


def zones(*arguments: str | Path, data: Path) -> str:
    result = CliRunner().invoke(main, ["zones", *map(str, arguments), "--data", str(data)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_in_out_and_asked(tmp_path: Path) -> None:
    file, data = tmp_path / "plan.yml", tmp_path / "data"
    file.write_text(PLAN, "utf-8")
    assert "2 zones, 1 conduits, 0 assets taken in" in zones("import", file, data=data)
    assert read_plan(zones("export", data=data)).zone("data") == read_plan(PLAN).zone("data")
    assert ZoneSource(Layout(data).zones)().zone_of("10.21.0.1") == "office"
    assert "2 zones, 1 conduits" in zones("list", data=data)
    assert zones("ask", "10.21.0.1", "2001:db8:50::1", "tcp/443", data=data) == "office > data https: permitted by office-data\n"
    assert zones("ask", "2001:db8:50::1", "10.21.0.1", "tcp/22", data=data) == "data > office ssh: denied\n"
    assert "inside one zone" in zones("ask", "10.21.0.1", "10.21.0.2", "tcp/22", data=data)


def test_mistakes_come_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "plan.yml"
    file.write_text(PLAN + "  - {id: bad, from: nowhere, to: data, services: https}\n", "utf-8")
    with pytest.raises(LiandunError, match=r"plan\.yml:7: conduit bad: from: there is no zone 'nowhere'"):
        CliRunner().invoke(main, ["zones", "check", str(file)], catch_exceptions=False)
    with pytest.raises(LiandunError, match="cannot be read"):
        CliRunner().invoke(main, ["zones", "import", str(tmp_path / "missing.yml")], catch_exceptions=False)


def refused(*arguments: str | Path) -> str:
    with pytest.raises(LiandunError) as caught:
        CliRunner().invoke(main, ["zones", *map(str, arguments)], catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def planned(tmp_path: Path) -> Path:
    file, data = tmp_path / "plan.yml", tmp_path / "data"
    file.write_text(PLAN, "utf-8")
    zones("import", file, data=data)
    return data


def test_the_sample_of_the_documentation_is_a_sound_plan_and_is_taken_in(tmp_path: Path) -> None:
    sample = re.search(r"```yaml\n(zones:\n.*?)```", (ROOT / "docs" / "zones.md").read_text("utf-8"), re.DOTALL)
    assert sample is not None
    file = tmp_path / "sample.yml"
    file.write_text(sample[1], "utf-8")
    assert "sound: 2 zones, 1 conduits, 1 registered assets" in zones("check", file, data=tmp_path / "data")
    assert not (tmp_path / "data").exists()
    assert "2 zones" in zones("import", file, data=tmp_path / "data")


def test_export_writes_the_file_that_is_named(planned: Path, tmp_path: Path) -> None:
    screen = zones("export", data=planned)
    assert screen.startswith("revision: 1\nzones:\n")
    for arguments in ((tmp_path / "a.yml",), ("--out", tmp_path / "b.yml")):
        assert zones("export", *arguments, data=planned) == ""
        assert Path(arguments[-1]).read_text("utf-8") == screen
    assert "cannot be written" in refused("export", tmp_path / "no" / "a.yml", "--data", planned)


def test_a_check_tells_what_would_be_done_and_does_nothing(planned: Path, tmp_path: Path) -> None:
    before = zones("export", data=planned)
    file = tmp_path / "new.yml"
    file.write_text("zones:\n  - {id: office, name: 新名, layer: network}\n  - {id: lab, name: 实验室, layer: cloud}\n", "utf-8")
    told = zones("check", file, data=planned)
    assert "sound: 2 zones, 0 conduits, 0 registered assets; taking it in: 1 would be made, 1 would be changed, 0 would" in told
    assert "  change zone office: name, ranges\n  make zone lab\n" in told
    told = zones("check", "--replace", file, data=planned)
    assert "  remove zone data\n  remove conduit office-data\n" in told
    assert zones("export", data=planned) == before


def test_a_part_is_checked_and_taken_in_with_the_plan_in_force(planned: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.yml"
    part.write_text('conduits: [{id: back, from: data, to: "*", services: https}]\n', "utf-8")
    assert "make conduit back" in zones("check", part, data=planned)
    assert "1 made, 0 changed, 0 removed" in zones("import", part, data=planned)
    assert "there is no zone 'data'" in refused("check", part, "--data", tmp_path / "empty")


def test_an_export_is_not_taken_in_over_what_somebody_changed_since(planned: Path, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine.yml", tmp_path / "theirs.yml"
    zones("export", mine, data=planned)
    theirs.write_text("zones: [{id: office, name: 改名, layer: network, ranges: [10.21.0.0/16]}]\n", "utf-8")
    zones("import", theirs, data=planned)
    assert "import refuses it without --force" in zones("check", mine, data=planned)
    told = refused("import", mine, "--data", planned)
    assert f"{mine}: was exported as revision 1, the plan in force is revision 2: somebody has changed it since (export" in told
    assert "改名" in zones("export", data=planned)
    assert "1 changed" in zones("import", "--force", mine, data=planned)
    assert "办公网" in zones("export", data=planned)
    assert "0 changed" in zones("import", mine, data=planned)  # it says what is in force: nothing is lost


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ("blah", "'blah' is no service"),
        ("502", "'502' is no service"),
        ("tcp/0", "'tcp/0' names no ports"),
        ("tcp/99999", "'tcp/99999' names no ports"),
        ("tcp/", "'tcp/' is no service"),
        ("tcp/x", "'tcp/x' is no service"),
        ("tcp", "'tcp' is no service"),
        ("tcp/1-9", "tcp/1-9 has more than one port"),
        ("any", "any has more than one port"),
        ("rtp", "rtp has more than one port"),
    ],
)
def test_what_is_no_service_is_not_judged(planned: Path, service: str, told: str) -> None:
    assert told in refused("ask", "10.21.0.1", "2001:db8:50::1", service, "--data", planned)


def test_a_service_is_asked_for_by_port_or_by_name(planned: Path) -> None:
    def ask(service: str) -> str:
        return zones("ask", "10.21.0.1", "2001:db8:50::1", service, data=planned)

    assert ask("ssh") == "office > data ssh: denied\n"
    assert ask("icmp") == "office > data icmp: denied\n"
    assert ask("https").splitlines() == [
        f"office > data https ({port}): permitted by office-data" for port in ("tcp/443", "udp/443", "tcp/8443")
    ]


def test_ids_can_be_read_where_nobody_has_a_wide_screen(planned: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.yml"
    names = [f"{'long-name-of-a-zone-' * 3}{number}" for number in range(3)]
    entries = "".join(f"  - {{id: {name}, name: 很长的区域名称很长的区域名称, layer: application, owner: 局}}\n" for name in names)
    file.write_text(f"zones:\n{entries}", "utf-8")
    zones("import", file, data=planned)
    told = zones("list", data=planned)
    for name in names:
        assert f" {name} " in told
