"""``liandun crypto inventory``: which links use domestic algorithms (evidence for GB/T 39786)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from cli.forward import host_and_port
from cli.terminal import visible
from collectors.tls_streams import tls_streams
from crypto.channel.appraise import Appraisal, appraise
from crypto.channel.handshake import Handshake, read_handshake
from crypto.channel.names import CURVE_SM2, RFC8998_SUITES, SM2SIG_SM3, TLCP_SUITES, TLS13_VERSION
from crypto.channel.probe import probe
from crypto.channel.served import Kind, served_certificates
from kernel.errors import LiandunError

_VERDICTS = {True: "domestic", False: "foreign", None: "no agreement"}
_UNPROVEN = "not proven"
"""A server that says it takes the domestic suite, but shows no certificate: anybody can say so."""
_HANDSHAKES: dict[str, Kind] = {"rfc8998": "domestic", "ordinary": "classic"}
_HYBRID = 4590  # curveSM2MLKEM768
_COLUMNS = ("client", "server", "version", "suite", "group", "keys", "verdict", "note")


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="PCAP|HOST:PORT...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a link, then one with the totals.")
@click.option(
    "--timeout", default=5.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds for each question to a server."
)
def inventory(targets: tuple[str, ...], as_json: bool, timeout: float) -> None:
    """Which links of a capture, or of a server that is asked, use SM2, SM3 and SM4: TLS 1.3 after RFC 8998 or TLCP (GB/T 38636).

    Of TLS 1.3 a capture shows protocol, suite and group, not the certificates: they are encrypted. A server is asked three times:
    domestic TLS 1.3, TLCP, and as an ordinary client; where it agrees to TLS 1.3 the handshake is made, for its certificates.
    """
    totals: Counter[str] = Counter()
    rows: list[list[str]] = []
    shown: dict[str, dict[str, Any]] = {}
    for target in targets:
        links = _captured(Path(target)) if Path(target).is_file() else _asked(target, timeout)
        for link in links:
            totals[link["verdict"]] += 1
            if as_json:
                click.echo(json.dumps(link, ensure_ascii=False))
            else:
                shown.update((one["sm3"], one) for one in link["certificates"])
                rows.append([visible(_cell(link[name])) for name in _COLUMNS])
    if as_json:
        click.echo(json.dumps({"totals": totals}))
        return
    widths = [max(len(row[index]) for row in [list(_COLUMNS), *rows]) for index in range(len(_COLUMNS))]
    for row in [list(_COLUMNS), *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for one in shown.values():
        told = f"{one['key']} key, signed {one['signature']}, until {one['not_after'][:10]}: {one['verdict']}"
        line = f"certificate {one['name']} (of {one['issuer']}): {told}{', ' + one['problem'] if one['problem'] else ''}"
        click.echo(visible(line))  # names are what the other end likes to write there
    click.echo(", ".join(f"{count} {verdict}" for verdict, count in sorted(totals.items())) or "no TLS or TLCP link")


def _captured(path: Path) -> Iterator[dict[str, Any]]:
    for stream in tls_streams(path):
        handshake = read_handshake(stream.from_client, stream.from_server)
        note = "" if handshake.finished else "not finished"
        yield _link(f"capture {path.name}", _end(*stream.client), _end(*stream.server), handshake, note)


def _asked(target: str, timeout: float) -> Iterator[dict[str, Any]]:
    try:
        host, port = host_and_port(target)
    except LiandunError as error:
        raise LiandunError(f"{target!r} is neither a capture file nor HOST:PORT", error.hint) from error
    for answer in probe(host, port, timeout=timeout):
        shown, note = [], answer.problem
        if answer.handshake.version == TLS13_VERSION and answer.question in _HANDSHAKES:
            served = served_certificates(host, port, _HANDSHAKES[answer.question], timeout=timeout)
            shown, note = served.certificates, served.problem and f"no handshake: {served.problem}"
        yield _link(f"asked: {answer.question}", "", target, answer.handshake, note, shown, asked=True)


def _link(
    evidence: str, client: str, server: str, handshake: Handshake, note: str, shown: Sequence[bytes] = (), *, asked: bool = False
) -> dict[str, Any]:
    """``shown``: certificates that a handshake of ours brought to light; ``asked``: there was one, so there ought to be some."""
    version, suite, group = handshake.names()
    keys, certificates, good = [], [], True
    for der in [*handshake.server_certificates, *handshake.client_certificates, *shown]:
        try:
            found = appraise(der)
        except ValueError:
            keys.append("unreadable")
            good = False
            continue
        keys.append(found.key)
        good = good and found.domestic
        if found.problem:
            note = f"{note}, certificate of {found.name} {found.problem}".removeprefix(", ")
        certificates.append(_certificate(found))
    if handshake.alert is not None and handshake.alert != 0:
        note = f"{note}, alert {handshake.alert}".removeprefix(", ")
    verdict = _VERDICTS[handshake.domestic]
    if handshake.group == _HYBRID and handshake.suite in RFC8998_SUITES:
        verdict = "partly domestic"  # SM2 together with ML-KEM
    elif handshake.domestic and not good:
        verdict = _VERDICTS[False]
    elif handshake.domestic and asked and not certificates:
        verdict = _UNPROVEN
    offered = handshake.client
    return {
        "evidence": evidence,
        "client": client,
        "server": server,
        "name": offered.name if offered else "",
        "version": version,
        "suite": suite,
        "suite_code": None if handshake.suite is None else f"0x{handshake.suite:04X}",
        "group": group,
        "group_code": handshake.group,
        "offers_domestic": bool(
            offered
            and (
                set(offered.suites) & (set(TLCP_SUITES) | set(RFC8998_SUITES))
                or CURVE_SM2 in offered.groups
                or SM2SIG_SM3 in offered.signatures
            )
        ),
        "signatures_offered": handshake.signatures,
        "keys": sorted(set(keys)),
        "certificates": certificates,
        "finished": handshake.finished,
        "verdict": verdict,
        "note": handshake.problem or note,
    }


def _certificate(found: Appraisal) -> dict[str, Any]:
    return {
        "name": found.name,
        "issuer": found.issuer,
        "serial": found.serial,
        "key": found.key,
        "signature": found.signature,
        "sm3": found.fingerprint,
        "not_before": found.not_before.isoformat(),
        "not_after": found.not_after.isoformat(),
        "verdict": _VERDICTS[found.domestic],
        "problem": found.problem,
    }


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
