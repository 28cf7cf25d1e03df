"""Links and certificates on the console: classic links are marked, in both languages, and only for who may see sources."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from soc_ui.app import create_app
from soc_ui.services import EndingCertificate, LinkListener, LinkPeer, Services, SourceHealth, TrustHealth
from tests.soc_ui.conftest import browser_of
from tests.soc_ui.seed import USER

UNTIL = "2026-12-24T08:00:00.000000Z"
HOSTILE = "<script>alert(1)</script>"
DOMESTIC = LinkListener(
    "tls", "domestic", [LinkPeer("collector-1", "192.0.2.7:1", "TLSv1.3 TLS_SM4_GCM_SM3 curveSM2", True, 2, UNTIL)]
)
CLASSIC = LinkListener(
    "old", "classic", [LinkPeer(HOSTILE, "[2001:db8::7]:1", "TLSv1.3 TLS_AES_128_GCM_SHA256 X25519", False, 1, UNTIL)], 3
)
TLCP = LinkListener("gov", "tlcp")


@pytest.fixture(params=["en", "zh"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _browser(filled: Services, trust: TrustHealth, lang: str) -> FlaskClient:
    health = [SourceHealth("tls", "syslog (TLS 1.3, SM2/SM4/SM3)"), SourceHealth("old", "HTTPS (TLS 1.3, CLASSIC)")]
    return browser_of(create_app(replace(filled, trust=lambda: trust, health=lambda: health)), USER, lang)


def test_classic_links_are_marked(filled: Services, lang: str) -> None:
    words = {
        "en": ("classic, foreign algorithms", "1 link with foreign algorithms"),
        "zh": ("经典（非国密算法）", "1 条链路使用非国密算法"),
    }
    client = _browser(filled, TrustHealth([DOMESTIC, CLASSIC, TLCP]), lang)
    page = client.get("/sources").text
    assert page.count(words[lang][0]) == 2  # in the table of sources and in that of links
    assert 'class="badge bad" title=' in page
    assert page.count("RFC 8998</span>") == 2
    assert "TLCP</span>" in page
    assert "TLSv1.3 TLS_SM4_GCM_SM3 curveSM2" in page
    assert HOSTILE not in page
    overview = client.get("/").text
    assert words[lang][1] in overview
    assert 'href="/sources#links"' in overview


def test_domestic_links_are_not(filled: Services, lang: str) -> None:
    client = _browser(filled, TrustHealth([DOMESTIC, TLCP]), lang)
    overview = client.get("/").text
    assert {"en": "links: domestic algorithms only", "zh": "链路均为国密算法"}[lang] in overview
    assert "badge bad" not in client.get("/sources").text
    assert 'id="links"' not in _browser(filled, TrustHealth(), lang).get("/sources").text


def test_certificates_that_end(filled: Services, lang: str) -> None:
    ending = [
        EndingCertificate("link", "/etc/liandun/server.crt", "CN=over", "2026-11-01T00:00:00.000000Z", 0),
        EndingCertificate("login", "alice", HOSTILE, UNTIL, 30),
    ]
    client = _browser(filled, TrustHealth(ending=ending, unreadable=["/etc/x.crt: gone"]), lang)
    words = {
        "en": ("has ended", "within 30 days", "sign-in certificate", "cannot be read", "2 certificates end soon"),
        "zh": ("已到期", "30 天内", "登录证书", "无法读取", "2 个证书即将到期"),
    }[lang]
    page = client.get("/sources").text
    assert all(word in page for word in words[:-1])
    assert "/etc/x.crt: gone" in page
    assert HOSTILE not in page
    assert words[-1] in client.get("/").text
