"""``liandun doctor``: what this machine can do, and how to get what is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import socket
import struct
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click
import msgspec

from cli.doctor_ports import link_ports, port_finding
from cli.doctor_trust import certificates, links_finding, self_test, sm3_finding, tlcp_finding
from cli.finding import Finding
from cli.master_key_check import check_master_key
from cli.terminal import visible
from collectors.sockets import bytes_taken
from collectors.suricata.binary import INSTALL_HINT, SuricataMissing, find_suricata, suricata_features, suricata_version
from collectors.suricata.interfaces import interface_problem, may_capture
from collectors.suricata.workdir import ACCOUNT, reachable
from kernel.config import Config, load_config
from kernel.errors import LiandunError
from kernel.master_key import open_master_key
from kernel.store.elasticsearch.store import ElasticsearchStore

_FREE_WARNING = 10 << 30
_MARKS = {"ok": "ok", "warn": "warning", "bad": "BAD"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def command(as_json: bool) -> None:
    """What this machine can do, and how to get what is missing. Exit code 1: the platform cannot run well."""
    findings = examine()
    for finding in findings:
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(finding), ensure_ascii=False))
        else:
            click.echo(f"{_MARKS[finding.state]:<7}  {finding.check:<12} {visible(finding.detail)}")
            if finding.hint:
                click.echo(f"{'':<9}{'':<13}→ {finding.hint}")
    if any(finding.state == "bad" for finding in findings):
        raise click.exceptions.Exit(1)


def examine() -> list[Finding]:
    """All findings, in a fixed order."""
    try:
        config = load_config()
        configured = Finding("config", "ok", config.file or "defaults")
    except LiandunError as error:
        config, configured = Config(), Finding("config", "bad", error.message, error.hint)
    checks: list[Callable[[], Finding]] = [
        _python,
        _suricata,
        _capture,
        _yara,
        _tshark,
        _hyperscan,
        sm3_finding,
        self_test,
        links_finding,
        tlcp_finding,
        _tcp_info,
    ]
    return [
        configured,
        *(check() for check in checks),
        _disk(config.data_dir),
        _master_key(config),
        *_store(config),
        *_interfaces(config),
        *_ports(config),
        *link_ports(config),
        *certificates(config),
    ]


def _python() -> Finding:
    version = platform.python_version()
    detail = f"{version} on {platform.system()} {platform.release()} ({platform.machine()}), {os.cpu_count()} cores"
    return Finding("python", "ok", detail)


def _suricata() -> Finding:
    try:
        program = find_suricata()
    except SuricataMissing:
        return Finding("suricata", "warn", "not installed: no packets, flows, JA3/JA4, files from the wire", INSTALL_HINT)
    version, features = suricata_version(program), suricata_features(program)
    wanted = {
        "AF_PACKET support": "live capture",
        "JA4 support": "JA4",
        "libmagic support": "file types",
        "Libmagic support": "file types",
    }
    absent = sorted({use for name, use in wanted.items() if features.get(name) == "no"})
    detail = f"{version or 'unknown version'} at {program}" + (f", built without {', '.join(absent)}" if absent else "")
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < (7, 0):
        return Finding("suricata", "warn", f"{detail}: too old, 7.0 is needed", INSTALL_HINT)
    return Finding("suricata", "ok", detail)


def _capture() -> Finding:
    try:
        if may_capture(shutil.which("suricata") or ""):
            return Finding("capture", "ok", "packets of live interfaces may be read")
    except (OSError, AttributeError) as error:
        return Finding("capture", "warn", f"AF_PACKET is not available: {error}", "live capture needs Linux")
    hint = "run as root, or: setcap cap_net_raw,cap_net_admin,cap_ipc_lock+ep $(command -v suricata)"
    return Finding("capture", "warn", "this account may not read live interfaces; capture files work", hint)


def _interfaces(config: Config) -> list[Finding]:
    """The interfaces that the configuration names, and whether Suricata can run there without being root."""
    found = []
    for interface in config.ingest.interface:
        problem = interface_problem(interface.name)
        state, detail = ("bad", problem) if problem else ("ok", f"{interface.name} can be watched")
        hint = "mend [[ingest.interface]] of the configuration" if problem else ""
        found.append(Finding(f"if {interface.id}"[:12], state, detail, hint))
    if found and os.geteuid() == 0 and not reachable(config.data_dir.absolute() / "suricata"):
        hint = f"make every folder above {config.data_dir} enterable (chmod o+x), so that Suricata runs as {ACCOUNT}"
        found.append(Finding("suricata-user", "warn", "Suricata would run as root", hint))
    return found


def _yara() -> Finding:
    if importlib.util.find_spec("yara") is None:
        return Finding("yara", "warn", "the package yara-python is not installed: files are not scanned", "pip install yara-python")
    return Finding("yara", "ok", f"yara-python {version('yara-python')}")


def _tshark() -> Finding:
    program = shutil.which("tshark")
    if program is None:
        return Finding("tshark", "warn", "not installed: no deep dissection of evidence captures", "apt install tshark")
    try:
        answer = subprocess.run([program, "-v"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("tshark", "warn", f"{program} does not answer: {error}", "apt install --reinstall tshark")
    return Finding("tshark", "ok", answer.stdout.splitlines()[0].rstrip(".") if answer.stdout else program)


def _hyperscan() -> Finding:
    if importlib.util.find_spec("hyperscan") is None:
        return Finding("hyperscan", "warn", "no wheel for this machine: Sigma falls back to Aho-Corasick, same results, slower")
    return Finding("hyperscan", "ok", "multi-pattern matching for Sigma")


def _tcp_info() -> Finding:
    """Syslog over TCP survives a kill only where the kernel counts received bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sender:
        receiver, _ = listener.accept()
        with receiver:
            sender.sendall(b"12345")
            receiver.recv(2)
            try:
                taken = bytes_taken(receiver)
            except (OSError, struct.error) as error:
                return Finding("tcp-info", "bad", str(error), "syslog over TCP needs Linux 4.1 or later")
    if taken != 2:
        return Finding(
            "tcp-info", "bad", f"the kernel counted {taken} bytes taken where 2 were", "use a Linux kernel, not an emulation of it"
        )
    return Finding("tcp-info", "ok", "the kernel counts received bytes: syslog over TCP survives restarts")


def _disk(data_dir: Path) -> Finding:
    """Room in the data directory, and whether it can be written: tried, because permissions, mounts and quotas all have a say."""
    try:
        folder = data_dir.absolute()
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"liandun")
            probe.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        hint = "let this account write there, or choose another with LIANDUN_DATA"
        return Finding("disk", "bad", f"{data_dir} cannot be written: {error.strerror}", hint)
    detail = f"{free / (1 << 30):.1f} GiB free for {data_dir}"
    if free < _FREE_WARNING:
        return Finding("disk", "warn", detail, "180 days of logs (the legal minimum) need more: about 150 bytes an event")
    return Finding("disk", "ok", detail)


def _master_key(config: Config) -> Finding:
    """Which keeper protects the master key, tried."""
    check = check_master_key(config)
    return Finding("master-key", check.state, check.detail, check.hint)


def _store(config: Config) -> list[Finding]:
    if config.store.engine != "elasticsearch":
        return []
    store = ElasticsearchStore(config.store.elasticsearch, writable=False, master_key=partial(open_master_key, config))
    try:
        check = store.examine()
    except LiandunError as error:
        return [Finding("elasticsearch", "bad", error.message, error.hint)]
    finally:
        store.close()
    if check.health == "red":
        return [
            Finding("elasticsearch", "bad", f"{check.server}: cluster red", "some events cannot be read: look after the cluster")
        ]
    if check.health == "yellow" and check.nodes > 1:
        hint = "a copy of some shards is missing: look after the cluster"
    elif check.templates == "other":
        hint = "the templates are not those of this version: the worker puts them at its next start (docs/event-store.md)"
    else:
        hint = ""
    told = {
        "": "no templates yet: the first write puts them",
        "current": "templates current",
        "other": "templates of another version",
    }
    detail = f"{check.server}; {check.nodes} node(s), {check.health or 'health unknown'}; {told[check.templates]}"
    return [Finding("elasticsearch", "warn" if hint else "ok", detail, hint)]


def _ports(config: Config) -> list[Finding]:
    syslog = config.ingest.syslog
    wanted = [
        ("syslog-udp", syslog.host, syslog.udp_port, socket.SOCK_DGRAM),
        ("syslog-tcp", syslog.host, syslog.tcp_port, socket.SOCK_STREAM),
    ]
    wanted.append(("console", config.console.host, config.console.port, socket.SOCK_STREAM))
    return [port_finding(name, host, port, kind) for name, host, port, kind in wanted if port]
