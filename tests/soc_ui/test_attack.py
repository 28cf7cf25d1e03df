"""The ATT&CK matrix: coverage, heat, gaps, and a layer that the Navigator's format describes."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from soc_ui.attack.matrix import DOMAINS, build, data, layer, names_zh


def test_every_technique_has_a_tactic_of_its_matrix_and_every_sub_technique_its_technique() -> None:
    for domain in DOMAINS:
        known, tactics = data()[domain]["techniques"], {tactic for tactic, _, _ in data()[domain]["tactics"]}
        for number, (name, of) in known.items():
            assert re.fullmatch(r"T[0-9]{4}(\.[0-9]{3})?", number)
            assert name
            assert set(of) <= tactics
            assert number.partition(".")[0] in known


def test_sub_techniques_count_for_their_technique() -> None:
    matrix = build(
        "enterprise", [("attack.t1059.001", "attack.execution"), ("attack.T1059",)], {"attack.t1059.001": 7, "attack.x": 9}
    )
    cell = matrix.techniques["T1059"]
    assert (cell.rules, cell.all_rules, cell.all_alerts, matrix.covered) == (1, 2, 7, 1)
    assert build("enterprise", [("attack.t9999",)], {}).strange == ("T9999",)


def test_the_layer_is_what_format_4_5_describes() -> None:
    made = layer(build("ics", [("attack.t1692.001",)], {}), "test")
    assert made["domain"] == "ics-attack"
    assert made["versions"]["layer"] == "4.5"
    assert made["gradient"]["maxValue"] > made["gradient"]["minValue"]
    assert [(one["techniqueID"], one["score"]) for one in made["techniques"]] == [("T1692.001", 1)]
    assert all(isinstance(entry["value"], str) for one in made["techniques"] for entry in one["metadata"])


def test_page_and_layer(client: FlaskClient, auditadmin: FlaskClient) -> None:
    page = client.get("/attack").text
    assert "OS Credential Dumping" in page
    assert "18.1" in page
    assert "OS Credential Dumping" not in client.get("/attack?gaps=1").text
    assert client.get("/attack?domain=ics").status_code == 200
    answer = client.get("/attack/layer.json")
    assert answer.json["domain"] == "enterprise-attack"
    assert "T1003.001" in {one["techniqueID"] for one in answer.json["techniques"]}
    assert auditadmin.get("/attack").status_code == 403


def test_every_technique_has_a_chinese_name_and_no_name_is_left_over() -> None:
    every = [data()[domain]["techniques"].items() for domain in DOMAINS]
    names = {name for techniques in every for _number, (name, _of) in techniques}
    assert names == set(names_zh())
    assert all(zh and zh.strip() == zh for zh in names_zh().values())
