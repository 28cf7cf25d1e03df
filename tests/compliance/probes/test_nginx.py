"""Configurations of nginx: verdicts, includes, and what is no configuration."""

from __future__ import annotations

import pytest

from compliance.probes.contract import Probe
from compliance.probes.facts import Part, Unreadable
from compliance.probes.formats.nginx import config
from compliance.probes.registry import of_source, probes
from compliance.probes.result import judged
from tests.compliance.probes.snapshots import counted

_MAIN = "/etc/nginx/nginx.conf"


def _shown(files: dict[str, str]) -> dict[str, Part]:
    return {
        "nginx": Part("".join(f"== {name}\n" + "".join(f"| {one}\n" for one in text.splitlines()) for name, text in files.items()))
    }


def _outcome(name: str, http: str, top: str = "user www-data;", **more: str) -> str:
    found = judged(probes()[name], _shown({_MAIN: f"{top}\nevents {{}}\nhttp {{\n{http}\n}}\n", **more}), "host", "")
    return found.outcome


@pytest.mark.parametrize(
    ("name", "http", "outcome"),
    [
        ("nginx.tls.protocols", "server { listen 443 ssl; ssl_protocols TLSv1.2; }", "met"),
        ("nginx.tls.protocols", "ssl_protocols TLSv1.3; server { listen 443 ssl; }", "met"),
        ("nginx.tls.protocols", "server { listen 443 ssl; ssl_protocols TLSv1 TLSv1.3; }", "not_met"),
        ("nginx.tls.protocols", "server { listen 443 ssl; }", "partly"),
        ("nginx.tls.protocols", "server { listen 80; }", "not_applicable"),
        ("nginx.tls.suites", "ssl_certificate a; ssl_ciphers ECDHE+AESGCM:!aNULL:!MD5;", "met"),
        ("nginx.tls.suites", "ssl_certificate a; ssl_ciphers 'HIGH:RC4-SHA';", "not_met"),
        ("nginx.tls.suites", "ssl_certificate a;", "partly"),
        ("nginx.tls.redirect", "server { listen 80; return 301 https://$host$request_uri; }", "met"),
        (
            "nginx.tls.redirect",
            "server { listen 80; location / { return 301 https://$host; } location /.well-known/ { root /a; } }",
            "met",
        ),
        ("nginx.tls.redirect", "server { listen 80; location / { proxy_pass http://app; } }", "not_met"),
        ("nginx.tls.redirect", "server { root /srv; }", "not_met"),
        ("nginx.tls.redirect", "server { listen 127.0.0.1:8080; root /srv; }", "met"),
        ("nginx.tls.transport_header", "server { listen 443 ssl; add_header Strict-Transport-Security max-age=1 always; }", "met"),
        ("nginx.tls.transport_header", "server { listen 443 ssl; }", "not_met"),
        (
            "nginx.tls.transport_header",
            "add_header strict-transport-security a; server { listen 443 ssl; add_header X 1; }",
            "not_met",
        ),
        ("nginx.audit.access_log", "access_log /var/log/a; server { listen 80; }", "met"),
        ("nginx.audit.access_log", "access_log off; server { listen 80; }", "not_met"),
        ("nginx.audit.access_log", "server { location /health { access_log off; } }", "partly"),
        ("nginx.audit.log_fields", "access_log /a combined;", "met"),
        ("nginx.audit.log_fields", "access_log off; server { listen 80; }", "not_met"),
        ("nginx.audit.log_fields", "access_log off; server { listen 80; access_log /a; } server { listen 81; }", "met"),
        ("nginx.audit.log_fields", "log_format m '$time_local $remote_addr $request $status'; access_log /a m;", "partly"),
        ("nginx.audit.log_fields", "log_format m '$remote_addr'; access_log /a m buffer=32k;", "not_met"),
        ("nginx.rbac.listings", "server { location / { autoindex on; } }", "not_met"),
        ("nginx.rbac.listings", "server { location /s { stub_status; } }", "not_met"),
        ("nginx.rbac.listings", "server { location /s { stub_status; allow 10.0.0.0/8; deny all; } }", "met"),
        ("nginx.services.version", "server_tokens off;", "met"),
        ("nginx.services.version", "server { server_tokens off; }", "partly"),
    ],
)
def test_verdicts(name: str, http: str, outcome: str) -> None:
    assert _outcome(name, http) == outcome


def test_the_account_of_the_workers() -> None:
    assert _outcome("nginx.accounts.worker", "", "user root;") == "not_met"
    assert _outcome("nginx.accounts.worker", "") == "met"


@pytest.mark.parametrize("probe", of_source("nginx"), ids=lambda one: one.id)
def test_what_is_no_configuration(probe: Probe) -> None:
    for text in (
        "",
        "user x;",
        "http {",
        "http { } }",
        "http { include other.conf; }",
        "http { a 'b; }",
        "a {" * 50 + "http {}" + "}" * 50,
    ):
        assert judged(probe, _shown({_MAIN: text}), "host", "").outcome == "error", text
    loop = {_MAIN: "http { include conf.d/*.conf; }", "/etc/nginx/conf.d/a.conf": "include conf.d/a.conf;"}
    assert judged(probe, _shown(loop), "host", "").outcome == "error"


@pytest.mark.parametrize("probe", of_source("nginx"), ids=lambda one: one.id)
def test_there_is_none_only_where_neither_files_nor_programs_nor_processes_are(probe: Probe) -> None:
    none = {"nginx": Part(f"-- {_MAIN}\n"), "nginx-programs": Part(counted()), "processes": Part("sshd\nsystemd\n")}
    assert judged(probe, none, "host", "").outcome == "not_applicable"
    for changed in (
        {"processes": Part("nginx\nsshd\n")},
        {"nginx-programs": Part(counted("/opt/nginx/sbin/nginx"))},
        {"nginx-programs": Part("", "it took too long")},
        {"nginx-programs": Part("")},
        {"processes": Part("")},
        {"nginx": Part("")},
        {"nginx": Part(f"~~ {_MAIN}\n")},
    ):
        assert judged(probe, none | changed, "host", "").outcome == "error", changed
    running = judged(probe, none | {"processes": Part("nginx\nsshd\n")}, "host", "")
    assert running.reason.endswith("[found: nginx runs, but its configuration was not found]")


def test_words_blocks_and_includes() -> None:
    files = {
        _MAIN: "events {} http { log_format m '$a \"$b\"' '{;}'; include sites/*; # a comment {\n map $x ${y} { default \"\"; } }",
        "/etc/nginx/sites/b": "server { listen 443 ssl; }",
        "/etc/nginx/sites/a": "server { listen 80; }",
    }
    found = config(files)
    assert found is not None
    assert [one.shown() for one in found.everything()] == [
        "events", "http", "log_format m $a \"$b\" {;}", "server", "listen 80", "server", "listen 443 ssl", "map $x ${y}",
        "default ",
    ]  # fmt: skip
    with pytest.raises(Unreadable):
        config({_MAIN: "http { " + "a;" * 60_000 + "}"})
