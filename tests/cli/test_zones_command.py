"""``./liandun zones`` from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.zones.plan import read_plan
from kernel.zones.snapshot import ZoneSource

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
