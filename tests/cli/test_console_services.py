"""cli/console_services.py: what roles say of themselves, as the console shows it."""

from __future__ import annotations

from pathlib import Path

from cli.console_services import RulesAndRefusals
from cli.trust_health import TrustReader
from kernel.health import HealthFile
from kernel.layout import Layout
from operations.certificates.expiry_alerts import ENDED, ENDING
from soc_ui.services import RuleFailure, TrustHealth


def test_rules_that_a_sensor_refused_stand_among_those_that_could_not_be_loaded(tmp_path: Path) -> None:
    layout = Layout(tmp_path).create()
    rules = RulesAndRefusals(layout)
    assert rules().failures == ()
    line = "/srv/rules/a b.rules:12: sid 2000123: unknown rule keyword 'x: y'."
    sources = {"mirror": {"problems": [line]}, "captures": {"problems": [line]}, "syslog": {}}
    HealthFile(layout.health, "ingest").write({"sources": sources})
    assert list(rules().failures) == [
        RuleFailure("/srv/rules/a b.rules", 12, "Suricata: sid 2000123: unknown rule keyword 'x: y'.")
    ]


def test_links_and_certificates_as_the_roles_tell_them(tmp_path: Path) -> None:
    layout = Layout(tmp_path).create()
    trust = TrustReader(layout)
    assert trust() == TrustHealth([], [], ())
    facts = {"origin": "192.0.2.7:4000", "protocol": "TLSv1.3", "suite": "TLS_SM4_GCM_SM3", "group": "curveSM2", "links": 2}
    peers = {"collector-1": {**facts, "domestic": True, "expires": 1_800_000_000.0}}
    sources = {
        "tls": {"suite": "domestic", "peers": peers, "refused": {"revoked": 2, "timeout": 1}},
        "old": {"suite": "classic", "peers": {}, "error": "no certificate"},
    }
    HealthFile(layout.health, "links").write({"sources": sources})
    ending = {"kind": "link", "place": "/etc/x.crt", "subject": "CN", "not_after": "2026-12-01T00:00:00.000000Z", "days_left": 7}
    HealthFile(layout.health, "scheduler").write({"certificates": [ending], "unreadable": ["/etc/y.crt: gone"]})
    classic = {**facts, "suite": "TLS_AES_128_GCM_SHA256", "group": "X25519", "domestic": False, "peer": "server"}
    HealthFile(layout.health, "forward").write({"link": classic})
    found = trust()
    assert [(one.id, one.suite, one.foreign, one.refused) for one in found.links] == [
        ("tls", "domestic", False, 3),
        ("old", "classic", True, 0),
        ("forward", "classic", True, 0),
    ]
    [peer] = found.links[0].peers
    assert (peer.name, peer.agreed, peer.links) == ("collector-1", "TLSv1.3 TLS_SM4_GCM_SM3 curveSM2", 2)
    assert peer.not_after == "2027-01-15T08:00:00.000000Z"
    assert [(one.place, one.days_left) for one in found.ending] == [("/etc/x.crt", 7)]
    assert found.unreadable == ["/etc/y.crt: gone"]


def test_alerts_of_the_platform_have_a_name_in_both_languages(tmp_path: Path) -> None:
    rules = {rule.id: rule for rule in RulesAndRefusals(Layout(tmp_path).create())().rules}
    for rule in (ENDING, ENDED):
        assert rules[rule].title
        assert rules[rule].title_zh
        assert rules[rule].description_zh
