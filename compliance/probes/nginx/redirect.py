"""Whoever comes in clear is sent to HTTPS."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import Directive, asked


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    plain = [one for one in found.named("server") if one.parent and one.parent.name == "http" and _is_plain(one)]
    bad = [f"server {_name(one)}" for one in plain if not _sends_away(one)]
    return judgement(bad, good=[f"server {_name(one)}" for one in plain])


def _is_plain(server: Directive) -> bool:
    listens = [one.arguments for one in server.body or [] if one.name == "listen"]
    return not listens or any(
        "ssl" not in arguments and "quic" not in arguments and not _is_inside(arguments) for arguments in listens
    )


def _is_inside(arguments: list[str]) -> bool:
    return bool(arguments) and arguments[0].startswith(("127.", "[::1]", "localhost", "unix:"))


def _sends_away(server: Directive) -> bool:
    """All of it: by the server itself, or by each of its locations but those of ACME."""
    body = server.body or []
    if any(_is_away(one) for one in body):
        return True
    locations = [one for one in body if one.name == "location" and ".well-known" not in " ".join(one.words)]
    return bool(locations) and all(any(_is_away(inner) for inner in one.body or []) for one in locations)


def _is_away(one: Directive) -> bool:
    words = " ".join(one.arguments)
    if one.name == "return":
        return "https://" in words or one.arguments[:1] in (["444"], ["403"], ["404"], ["410"])
    return one.name == "rewrite" and "https://" in words


def _name(server: Directive) -> str:
    return next((" ".join(one.arguments) for one in server.body or [] if one.name == "server_name"), "_")


PROBE = Probe(
    id="nginx.tls.redirect",
    way="tls.scan",
    source="nginx",
    items=("8.1.4.7.a", "8.1.4.8.a"),
    units=("6.4.4", "6.4.6"),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("HTTP goes to HTTPS", "HTTP 跳转 HTTPS"),
    criterion=Text("servers without TLS only send browsers to HTTPS", "未加密站点仅用于跳转到 HTTPS"),
    reproduce="nginx -T; curl -I http://HOST/",
    judge=_judge,
)
