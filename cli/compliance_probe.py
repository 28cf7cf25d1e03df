"""``./liandun compliance probe``: look at hosts, devices, databases and endpoints (docs/compliance.md, Probes)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click
import msgspec

from cli.compliance_winrm import windows_host, with_port
from cli.console_services import account_policy
from cli.data_directory import config_of, state_of
from cli.probe_ways import Secret, secret_of
from cli.terminal import visible
from compliance.probes.contract import Probe
from compliance.probes.findings import findings
from compliance.probes.formats.device import Dialect
from compliance.probes.reading.cloud_files import CloudExport
from compliance.probes.reading.database_export import SCRIPTS, DatabaseExport, Engine
from compliance.probes.reading.device_file import device_file
from compliance.probes.reading.host import Here, There
from compliance.probes.reading.kingbase import KingbaseServer
from compliance.probes.reading.ldap import Directory
from compliance.probes.reading.platform import Platform
from compliance.probes.reading.postgresql import PostgresqlServer
from compliance.probes.reading.redis_file import RedisFile
from compliance.probes.reading.tls import TlsEndpoint
from compliance.probes.reading.tomcat_files import TomcatFiles
from compliance.probes.reading.windows_files import WindowsExport
from compliance.probes.reading.windows_script import FILE as WINDOWS_SCRIPT
from compliance.probes.registry import probes
from compliance.probes.result import CHINESE, Result
from compliance.probes.run import SECONDS, WORKERS, Progress, run
from compliance.probes.target import LinuxHost, Target
from kernel.config import Config
from kernel.db import Database
from kernel.master_key import open_master_key
from kernel.programs.ssh import Login, is_user_name
from kernel.programs.ssh_host import SshHost, read_host
from playbooks.actions.contract import Secrets, no_secrets
from playbooks.vault import service as vault

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EXPORT = click.Path(exists=True, path_type=Path)
_ENGLISH = {"met": "met", "partly": "partly", "not_met": "NOT MET", "not_applicable": "n/a", "error": "error"}


@click.command("probe")
@click.argument("hosts", nargs=-1)
@click.option("--user", default="root", show_default=True, help="Login on the hosts.")
@click.option("--key-secret", help="Name of its private key or password in the secret store (playbook secret set NAME --host …).")
@click.option("--known-hosts", type=_FILE, help="Keys that hosts must show; default: [playbooks] known_hosts.")
@click.option("--local", is_flag=True, help="Look at this machine, too.")
@click.option("--platform", "own", is_flag=True, help="Look at this platform's own state, too.")
@click.option(
    "--windows-export", "exports", type=_EXPORT, multiple=True, help="Folder or ZIP a Windows host was exported to. Again for more."
)
@click.option("--winrm", "windows", metavar="HOST", multiple=True, help="A Windows host, by WinRM over TLS. Again for more.")
@click.option("--windows-user", help=r"Login on Windows hosts (DOMAIN\NAME).")
@click.option("--windows-secret", help="Name of its password in the secret store.")
@click.option("--config-file", "configs", type=_FILE, multiple=True, help="Configuration of a network device. Again for more.")
@click.option("--dialect", type=click.Choice(("huawei", "h3c", "cisco")), help="Of the configuration files.")
@click.option("--postgresql", "databases", multiple=True, help="Name of a secret that holds the URL of a database. Again for more.")
@click.option("--kingbase", "kingbases", multiple=True, help="The same for KingbaseES. Again for more.")
@click.option("--mysql-export", "mysqls", type=_FILE, multiple=True, help="What database-script mysql printed. Again for more.")
@click.option("--dm-export", "dms", type=_FILE, multiple=True, help="What database-script dm printed. Again for more.")
@click.option("--tomcat", "tomcats", type=_EXPORT, multiple=True, help="Folder conf of a Tomcat, or a ZIP of it. Again for more.")
@click.option("--redis", "redises", type=_FILE, multiple=True, help="The redis.conf of a server. Again for more.")
@click.option("--cloud-export", "clouds", type=_EXPORT, multiple=True, help="Folder or ZIP of a cloud account. Again for more.")
@click.option(
    "--ldap", "directories", multiple=True, help="Name of a secret: ldap[s]://BIND-DN:PASSWORD@HOST/BASE-DN. Again for more."
)
@click.option("--tls", "endpoints", metavar="HOST:PORT", multiple=True, help="A TLS or TLCP endpoint. Again for more.")
@click.option("--ca-file", type=_FILE, help="Authorities that endpoints and directories are held against; default: the system's.")
@click.option("--probe", "wanted", multiple=True, help="Only probes whose id begins with this. Again for more.")
@click.option("--workers", type=click.IntRange(1, 64), default=WORKERS, show_default=True, help="Objects at a time.")
@click.option("--seconds", type=click.FloatRange(1, 3_600), default=SECONDS, show_default=True, help="Time for one object.")
@click.option("--format", "form", type=click.Choice(("table", "json", "findings")), default="table", show_default=True)
@click.option("--object", "object_id", type=int, help="With --format findings: the object's number; none: the whole system.")
@click.option("--lang", type=click.Choice(("zh", "en")), default="zh", show_default=True, help="Language of the table.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")
def probe_command(
    hosts: tuple[str, ...], user: str, key_secret: str | None, known_hosts: Path | None, local: bool, own: bool,
    exports: tuple[Path, ...], windows: tuple[str, ...], windows_user: str | None, windows_secret: str | None,
    configs: tuple[Path, ...], dialect: Dialect | None, databases: tuple[str, ...], kingbases: tuple[str, ...],
    mysqls: tuple[Path, ...], dms: tuple[Path, ...], tomcats: tuple[Path, ...], redises: tuple[Path, ...], clouds: tuple[Path, ...],
    directories: tuple[str, ...], endpoints: tuple[str, ...], ca_file: Path | None, wanted: tuple[str, ...], workers: int,
    seconds: float, form: str, object_id: int | None, lang: str, data: Path | None,
) -> None:  # fmt: skip
    """Look at Linux HOSTs by SSH (NAME, ADDRESS:PORT, [IPV6]:PORT), Windows hosts, devices, databases, directories and endpoints.

    Nothing is changed there.

    Exit code 0: all is met or not applicable, 1: something is not, or could not be read, 2: wrong usage.
    """
    if hosts and (not key_secret or not is_user_name(user)):
        raise click.UsageError("hosts need --key-secret, and --user must be the name of an account")
    if configs and dialect is None:
        raise click.UsageError("configuration files need --dialect")
    if windows and not (windows_user and windows_secret):
        raise click.UsageError("Windows hosts need --windows-user and --windows-secret")
    chosen = _chosen(wanted)
    with _platform(bool(hosts or databases or kingbases or directories or windows), own, data) as (config, database, store):
        secret = secret_of(store)
        targets: list[Target] = [LinuxHost("localhost", Here())] if local else []
        if own and config is not None and database is not None:
            targets.append(Platform(database, config, account_policy(config)))
        if hosts:
            keys = known_hosts or (config.playbooks.known_hosts if config else None)
            if keys is None:
                raise click.UsageError("no host may be reached: give --known-hosts, or [playbooks] known_hosts")
            privilege = tuple(config.playbooks.privilege) if config else ()
            login = _login(user, key_secret or "", secret)
            targets += [LinuxHost(one.shown(), There(one, login, keys, privilege)) for one in map(read_host, hosts)]
        targets += [WindowsExport(path.name, path) for path in exports]
        if config and windows_user and windows_secret:
            found = [read_host(with_port(one)) for one in windows]
            targets += [windows_host(one, windows_user, windows_secret, config, store) for one in found]
        targets += [device_file(path, dialect) for path in configs if dialect]
        targets += [PostgresqlServer(name, lambda name=name: secret(name, None)) for name in databases]  # type: ignore[misc]
        targets += [KingbaseServer(name, lambda name=name: secret(name, None)) for name in kingbases]  # type: ignore[misc]
        targets += [DatabaseExport(path.name, path, "mysql") for path in mysqls]
        targets += [DatabaseExport(path.name, path, "dm") for path in dms]
        targets += [TomcatFiles(path.name, path) for path in tomcats]
        targets += [RedisFile(path.name, path) for path in redises]
        targets += [CloudExport(path.name, path) for path in clouds]
        targets += [Directory(name, lambda name=name: secret(name, None), ca_file) for name in directories]  # type: ignore[misc]
        targets += [_endpoint(one, ca_file) for one in endpoints]
        if form == "findings" and len(targets) > 1:
            raise click.UsageError("findings are of one object: look at one at a time")
        if not targets:
            raise click.UsageError(
                "nothing to look at: give hosts, --local, --platform, or files, databases or endpoints by the options of --help"
            )
        results = list(run(targets, chosen, workers=workers, seconds=seconds, progress=_progress(len(targets))))
    if form != "table":
        told = results if form == "json" else findings(results, object_id)
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
        sys.stdout.flush()
    else:
        _show(results, lang)
    if any(one.outcome not in ("met", "not_applicable") for one in results):
        raise click.exceptions.Exit(1)


@click.command("windows-script")
def windows_script_command() -> None:
    """Print the PowerShell script that exports a Windows host for --windows-export."""
    sys.stdout.buffer.write(WINDOWS_SCRIPT.read_bytes())
    sys.stdout.flush()


@click.command("database-script")
@click.argument("engine", type=click.Choice(get_args(Engine)))
def database_script_command(engine: Engine) -> None:
    """Print the SQL script whose output --mysql-export or --dm-export takes."""
    sys.stdout.buffer.write(SCRIPTS[engine].read_bytes())
    sys.stdout.flush()


def _chosen(wanted: Sequence[str]) -> list[Probe]:
    found = [probe for probe in probes().values() if not wanted or probe.id.startswith(tuple(wanted))]
    if not found:
        raise click.UsageError("no probe has such an id (docs/compliance.md has the table)")
    return found


@contextmanager
def _platform(secrets: bool, own: bool, data: Path | None) -> Iterator[tuple[Config | None, Database | None, Secrets]]:
    """Configuration, state database and secret store of the platform, where they are needed."""
    if not (secrets or own):
        yield None, None, no_secrets
        return
    config = config_of(data)
    with state_of(config) as database:
        yield config, database, vault.secrets(database, open_master_key(config)) if secrets else no_secrets


def _login(user: str, name: str, secret: Secret) -> Callable[[SshHost], Login]:
    return lambda host: Login(user, secret(name, host))


def _endpoint(text: str, ca_file: Path | None) -> TlsEndpoint:
    if ":" not in text.rpartition("]")[2]:
        raise click.UsageError(f"{text} has no port")
    found = read_host(text)
    return TlsEndpoint(found.name, found.port, ca_file)


def _progress(total: int) -> Callable[[Progress], None] | None:
    if total < 2 or not sys.stderr.isatty():
        return None
    return lambda one: click.echo(visible(f"{one.done}/{one.total} {one.target}"), err=True)


def _show(results: Sequence[Result], lang: str) -> None:
    words = CHINESE if lang == "zh" else _ENGLISH
    for name in dict.fromkeys(one.target for one in results):
        click.echo(visible(name))
        for one in (one for one in results if one.target == name):
            mark = (" (待确认)" if lang == "zh" else " (to be confirmed)") if one.to_be_confirmed else ""
            click.echo(visible(f"  {one.probe}  {' '.join((*one.items, *one.units))}"))
            click.echo(visible(f"    {(one.reason_zh if lang == 'zh' else one.reason)[:2_000]}{mark}"))
            if one.outcome not in ("met", "not_applicable"):
                click.echo(visible(f"    {'复核' if lang == 'zh' else 'by hand'}: {one.reproduce}"))
    counts = {word: sum(one.outcome == outcome for one in results) for outcome, word in words.items()}
    click.echo("  ".join(f"{word} {number}" for word, number in counts.items()), err=True)
