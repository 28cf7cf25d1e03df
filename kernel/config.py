"""Configuration: one TOML file plus environment, typed; every mistake is told with file, line and key.

Order of precedence: environment (``LIANDUN_<SECTION>_<KEY>``, e.g. ``LIANDUN_CONSOLE_PORT=8443``; ``LIANDUN_DATA`` is short for
``LIANDUN_PLATFORM_DATA_DIR``), then the file (``--config``, else ``LIANDUN_CONFIG``, else ``liandun.toml`` in the data
directory if there is one), then the defaults below. All mistakes of a file are collected before :class:`ConfigError` is raised.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kernel.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
MINIMUM_RETENTION_DAYS = 180
SEALED = "sm4-gcm:"
"""How a secret begins that crypto.secret has sealed."""

PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


class Platform(msgspec.Struct, forbid_unknown_fields=True):
    """[platform] — where data lives and how the city is called."""

    data_dir: Path = ROOT / "var"
    city: str = "示范市"
    demo: bool = False  # a demo store may drop events earlier than the law allows


class Console(msgspec.Struct, forbid_unknown_fields=True):
    """[console] — the web console and the API."""

    host: str = "127.0.0.1"
    port: int = 8600
    threads: int = 8
    public_url: str = ""  # as people reach it, e.g. https://soc.example.cn; turns on Secure cookies when https


class Syslog(msgspec.Struct, forbid_unknown_fields=True):
    """[ingest.syslog] — RFC 3164/5424 over UDP and TCP. Port 0 switches a listener off."""

    host: str = "127.0.0.1"
    udp_port: int = 5514
    tcp_port: int = 5514


class Tail(msgspec.Struct, forbid_unknown_fields=True):
    """[[ingest.tail]] — files to follow; ``paths`` may hold globs, ``format`` is a parser name (json, syslog, auditd, …)."""

    id: str
    paths: list[str]
    format: str = "json"


class PacketFolder(msgspec.Struct, forbid_unknown_fields=True):
    """[[ingest.pcap_folder]] — a folder whose new pcap files are read through Suricata."""

    id: str
    path: Path


class Interface(msgspec.Struct, forbid_unknown_fields=True):
    """[[ingest.interface]] — a network interface to watch live through Suricata.

    home_net       prefixes that are ours besides the ranges of the zone plan; with neither, the private ones
    vlan_tracking  false for a mirror whose two directions carry different VLAN tags
    """

    id: str
    name: str
    home_net: list[str] = []
    vlan_tracking: bool = True


class Ingest(msgspec.Struct, forbid_unknown_fields=True):
    """[ingest] — what comes in. ``spool_gib`` bounds the records waiting for detection; beyond it senders are held back."""

    syslog: Syslog = msgspec.field(default_factory=Syslog)
    tail: list[Tail] = []
    pcap_folder: list[PacketFolder] = []
    interface: list[Interface] = []
    spool_gib: float = 8.0
    time_zone: str = "Asia/Shanghai"  # of time stamps that name none (RFC 3164, many devices)


class Detect(msgspec.Struct, forbid_unknown_fields=True):
    """[detect] — rules. Own rules (rules/) and imported sets (<data>/rules/) are always loaded unless switched off."""

    own_rules: bool = True
    rules: list[Path] = []
    placeholders: dict[str, list[str]] = {}
    yara_timeout_seconds: int = 20


class Secret:
    """A password or key of the configuration: shown nowhere, neither by repr nor by ``config show``."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, to be handed on and not kept."""
        return self._text

    @property
    def sealed(self) -> bool:
        return self._text.startswith(SEALED)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "(set)" if self._text else ""


class StoreElasticsearch(msgspec.Struct, forbid_unknown_fields=True):
    """[store.elasticsearch] — used with ``engine = "elasticsearch"``. See docs/event-store.md.

    password, api_key  sealed text in the file (``./liandun store seal``); plain only in the environment or in a ``…_file``
    prefix, namespace  the store's parts are called ``<prefix>-events-<namespace>`` and so on
    replicas           -1: one as soon as the cluster has a second node
    manage_templates   False where an administrator puts the templates (``./liandun store templates``)
    """

    urls: list[str] = []
    ca_file: Path | None = None
    user: str = ""
    password: Secret = msgspec.field(default_factory=Secret)
    password_file: Path | None = None
    api_key: Secret = msgspec.field(default_factory=Secret)
    api_key_file: Path | None = None
    prefix: str = "liandun"
    namespace: str = "default"
    shards: int = 1
    replicas: int = -1
    manage_templates: bool = True
    timeout_seconds: float = 30.0


class Store(msgspec.Struct, forbid_unknown_fields=True):
    """[store] — the event store. ``engine``: lake (embedded, no server) or elasticsearch."""

    engine: Literal["lake", "elasticsearch"] = "lake"
    retention_days: int = MINIMUM_RETENTION_DAYS
    elasticsearch: StoreElasticsearch = msgspec.field(default_factory=StoreElasticsearch)


class Alerts(msgspec.Struct, forbid_unknown_fields=True):
    """[alerts] — detections of the same rule on the same entities within ``window_minutes`` are one alert."""

    window_minutes: int = 60


class Webhooks(msgspec.Struct, forbid_unknown_fields=True):
    """[webhooks] — private or loopback networks that webhooks may be sent to (none unless listed)."""

    allowed_networks: list[str] = []


class Audit(msgspec.Struct, forbid_unknown_fields=True):
    """[audit] — signed heads of the audit trail, and where they are kept besides this machine. See docs/audit-log.md.

    head_seconds  how often a head is signed, if the trail has grown
    syslog        ``udp://``, ``tcp://`` or ``tls://host[:port]`` that heads are sent to (RFC 5424); "" = none
    webhook       name of a webhook target that heads are sent to; "" = none
    """

    head_seconds: int = 300
    syslog: str = ""
    webhook: str = ""


class Ldap(msgspec.Struct, forbid_unknown_fields=True):
    """[accounts.ldap] — sign-in by a directory. ``url`` "" = none; see docs/accounts.md.

    start_tls    with ldap://: the connection is sealed before anything is sent; without it only ldaps:// is accepted
    bind_dn      who searches, with ``password_file``
    user_filter  ``{name}`` stands for the (escaped) name that was typed
    subject      attribute that never changes for a person, e.g. entryUUID or objectGUID
    groups       DN of a group → role that is proposed for its members
    """

    url: str = ""
    start_tls: bool = True
    ca_file: Path | None = None
    bind_dn: str = ""
    password_file: Path | None = None
    base_dn: str = ""
    user_filter: str = "(uid={name})"
    group_filter: str = "(member={dn})"
    subject: str = "entryUUID"
    display_name: str = "cn"
    groups: dict[str, str] = {}
    timeout_seconds: float = 5.0


class Oidc(msgspec.Struct, forbid_unknown_fields=True):
    """[accounts.oidc] — sign-in by an OpenID provider. ``issuer`` "" = none; see docs/accounts.md.

    second_factor_acr  values of ``acr``, and second_factor_amr values of ``amr``, that mean the provider checked a second factor
    groups             value of the claim ``groups_claim`` → role that is proposed
    """

    issuer: str = ""
    name: str = "OpenID"
    client_id: str = ""
    client_secret_file: Path | None = None
    ca_file: Path | None = None
    scopes: list[str] = msgspec.field(default_factory=lambda: ["openid", "profile"])
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups: dict[str, str] = {}
    second_factor_acr: list[str] = []
    second_factor_amr: list[str] = msgspec.field(default_factory=lambda: ["mfa", "otp", "hwk"])
    clock_skew_seconds: int = 60
    timeout_seconds: float = 5.0


class Accounts(msgspec.Struct, forbid_unknown_fields=True):
    """[accounts] — numbers of the account rules; see docs/accounts.md.

    second_factor   ``all``; ``administrators`` lets the business roles do without (the demonstration does)
    admin_networks  networks that the three powers may come from; none = from everywhere
    totp            new one-time passwords by ``sha1`` (RFC 6238) or ``sm3`` (GM/T 0021)
    """

    second_factor: Literal["all", "administrators"] = "all"
    totp: Literal["sha1", "sm3"] = "sha1"
    password_scheme: Literal["argon2id", "pbkdf2-sm3"] = "argon2id"  # noqa: S105 — a name, no password
    password_length: int = 12
    password_history: int = 5
    password_days: int = 90
    max_failures: int = 5
    lock_minutes: int = 10
    idle_minutes: int = 30
    admin_idle_minutes: int = 15
    session_hours: int = 8
    single_session: bool = False
    unused_days: int = 90
    admin_networks: list[str] = []
    ldap: Ldap = msgspec.field(default_factory=Ldap)
    oidc: Oidc = msgspec.field(default_factory=Oidc)


class LinkListener(msgspec.Struct, forbid_unknown_fields=True):
    """[[links.listener]] — a protected input. See docs/links.md.

    kind    syslog (RFC 5425) or https (JSON lines, ECS bulk, forwarders)
    suite   domestic (RFC 8998), classic (TLS 1.3 with foreign algorithms, shown red) or tlcp (GB/T 38636)
    peers   names of certificates that may send; none = every one of the CA
    others  as in [links], for this listener only
    """

    id: str
    kind: Literal["syslog", "https"]
    port: int
    host: str = "::"
    suite: Literal["domestic", "classic", "tlcp"] = "domestic"
    peers: list[str] = []
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    crl: Path | None = None
    enc_certificate: Path | None = None
    enc_key: Path | None = None


class Links(msgspec.Struct, forbid_unknown_fields=True):
    """[links] — links between hosts, always with certificates on both sides.

    certificate, key, ca, crl  PEM files of this host, used by every listener that has none of its own, and by ``forward``
    enc_certificate, enc_key   the second pair, for TLCP
    max_connections            per listener; per_address of them from one address
    max_handshakes             at the same time; each within handshake_seconds
    idle_seconds               without a byte before a link is closed
    """

    listener: list[LinkListener] = []
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    crl: Path | None = None
    enc_certificate: Path | None = None
    enc_key: Path | None = None
    max_connections: int = 500
    per_address: int = 64
    max_handshakes: int = 32
    handshake_seconds: float = 10.0
    idle_seconds: float = 3600.0


class SecretsPkcs11(msgspec.Struct, forbid_unknown_fields=True):
    """[secrets.pkcs11] — a token through PKCS#11, used with ``keeper = "pkcs11"``. See docs/secrets.md.

    module          the vendor's shared library
    token, key      labels of the token and of the AES-256 key in it that wraps the master key (made at the first use)
    pin             only in the environment (LIANDUN_SECRETS_PKCS11_PIN), never in the file
    pin_credential  name of a systemd credential (LoadCredential=) that holds the PIN
    pin_file        file that holds the PIN, mode 0600
    """

    module: Path | None = None
    token: str = "liandun"  # noqa: S105 — a label
    key: str = "liandun-master"
    pin: Secret = msgspec.field(default_factory=Secret)
    pin_credential: str = ""
    pin_file: Path | None = None


class SecretsSdf(msgspec.Struct, forbid_unknown_fields=True):
    """[secrets.sdf] — a cryptographic device after GM/T 0018, used with ``keeper = "sdf"``. See docs/secrets.md.

    library        the vendor's shared library
    kek            number of the key-encryption key in the device
    kek_algorithm  how the device encrypts session keys under it
    """

    library: Path | None = None
    kek: int = 1
    kek_algorithm: Literal["sm4-ecb", "sm4-cbc"] = "sm4-ecb"


class Secrets(msgspec.Struct, forbid_unknown_fields=True):
    """[secrets] — what protects the master key of sealed secrets: its file alone, a token, or a device. See docs/secrets.md."""

    keeper: Literal["file", "pkcs11", "sdf"] = "file"
    pkcs11: SecretsPkcs11 = msgspec.field(default_factory=SecretsPkcs11)
    sdf: SecretsSdf = msgspec.field(default_factory=SecretsSdf)


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """The whole configuration; ``file`` is where it was read from ("" = defaults and environment only)."""

    platform: Platform = msgspec.field(default_factory=Platform)
    console: Console = msgspec.field(default_factory=Console)
    ingest: Ingest = msgspec.field(default_factory=Ingest)
    detect: Detect = msgspec.field(default_factory=Detect)
    store: Store = msgspec.field(default_factory=Store)
    alerts: Alerts = msgspec.field(default_factory=Alerts)
    webhooks: Webhooks = msgspec.field(default_factory=Webhooks)
    audit: Audit = msgspec.field(default_factory=Audit)
    accounts: Accounts = msgspec.field(default_factory=Accounts)
    links: Links = msgspec.field(default_factory=Links)
    secrets: Secrets = msgspec.field(default_factory=Secrets)
    file: str = ""

    @property
    def data_dir(self) -> Path:
        return self.platform.data_dir


def load_config(
    file: Path | None = None, environ: Mapping[str, str] | None = None, *, formats: Collection[str] | None = None
) -> Config:
    """Read, type and check the configuration. Raises ConfigError with every mistake, one a line.

    formats  names that ``[[ingest.tail]] format`` may have (the kernel knows no parsers); None = not checked
    """
    environ = os.environ if environ is None else environ
    data_dir = environ.get("LIANDUN_DATA") or environ.get("LIANDUN_PLATFORM_DATA_DIR")
    if file is None:
        if environ.get("LIANDUN_CONFIG"):
            file = Path(environ["LIANDUN_CONFIG"])
        else:
            candidate = Path(data_dir or ROOT / "var") / "liandun.toml"
            file = candidate if candidate.is_file() else None
    problems: list[str] = []
    tree: dict[str, Any] = {}
    lines: dict[str, int] = {}
    if file is not None:
        tree, lines = _read(file)
    config = Config(file=str(file or ""))
    for section, values in tree.items():
        _fill_section(config, section, values, str(file), lines, problems)
    _fill_from_environment(config, environ, problems)
    _check(config, str(file or "environment"), lines, problems)
    for index, tail in enumerate(config.ingest.tail):
        if formats is not None and tail.format not in formats:
            place = _where(str(file or "environment"), lines, f"ingest.tail.{index}.format")
            problems.append(f"{place}: {tail.format!r} is no format{_suggest(tail.format, sorted(formats))}")
    if problems:
        raise ConfigError("\n".join(problems), "nothing was started; mend the lines above")
    return config


def _read(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 (byte {error.start})") from error
    try:
        return tomllib.loads(text), _key_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}", "see https://toml.io for the syntax") from error


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\-\"']+)\s*=")


def _key_lines(text: str) -> dict[str, int]:
    """Dotted key (array tables with their index, ``ingest.tail.0.id``) → line number, for messages."""
    lines: dict[str, int] = {}
    arrays: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = header[2].replace('"', "")
            if header[1] == "[[":
                arrays[table] = arrays.get(table, -1) + 1
                table = f"{table}.{arrays[table]}"
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            name = key[1].strip("\"'")
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def _where(file: str, lines: Mapping[str, int], key: str) -> str:
    probe = key
    while probe and probe not in lines:
        probe = probe.rpartition(".")[0]
    return f"{file}:{lines[probe]}: {key}" if probe else f"{file}: {key}"


def _fill_section(config: Config, section: str, values: Any, file: str, lines: Mapping[str, int], problems: list[str]) -> None:
    known = [name for name in Config.__struct_fields__ if name != "file"]
    if section not in known:
        problems.append(f"{_where(file, lines, section)}: unknown section{_suggest(section, known)}")
        return
    if not isinstance(values, dict):
        problems.append(f"{_where(file, lines, section)}: must be a table, [{section}]")
        return
    _fill_struct(getattr(config, section), section, values, file, lines, problems)


def _fill_struct(
    target: msgspec.Struct, prefix: str, values: dict[str, Any], file: str, lines: Mapping[str, int], problems: list[str]
) -> None:
    types = {field.name: field.type for field in msgspec.structs.fields(type(target))}
    for key, value in values.items():
        path = f"{prefix}.{key}"
        if key not in types:
            problems.append(f"{_where(file, lines, path)}: unknown key{_suggest(key, list(types))}")
            continue
        kind = types[key]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
            _fill_struct(getattr(target, key), path, value, file, lines, problems)
            continue
        try:
            setattr(target, key, msgspec.convert(value, kind, dec_hook=_paths))
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `$")
            inner = re.sub(r"\[(\d+)\]", r".\1", place.rstrip("`"))
            problems.append(f"{_where(file, lines, path + inner)}: {reason[0].lower()}{reason[1:]}")


def _paths(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value).expanduser()
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise msgspec.ValidationError(f"expected {kind.__name__}, got {type(value).__name__}")


def _suggest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f", did you mean {close[0]}?" if close else f" (known: {', '.join(known)})"


def _fill_from_environment(config: Config, environ: Mapping[str, str], problems: list[str]) -> None:
    settings = dict(environ)
    if settings.get("LIANDUN_DATA"):
        settings["LIANDUN_PLATFORM_DATA_DIR"] = settings["LIANDUN_DATA"]
    for section in Config.__struct_fields__:
        target = getattr(config, section)
        if isinstance(target, msgspec.Struct):
            _environment_struct(target, f"LIANDUN_{section.upper()}", settings, problems)


def _environment_struct(target: msgspec.Struct, prefix: str, settings: Mapping[str, str], problems: list[str]) -> None:
    for field in msgspec.structs.fields(type(target)):
        name = f"{prefix}_{field.name.upper()}"
        current = getattr(target, field.name)
        if isinstance(current, msgspec.Struct):
            _environment_struct(current, name, settings, problems)
        elif name in settings:
            text = settings[name]
            value: Any = [part.strip() for part in text.split(",") if part.strip()] if isinstance(current, list) else text
            try:
                setattr(target, field.name, msgspec.convert(value, field.type, strict=False, dec_hook=_paths))
            except msgspec.ValidationError as error:
                problems.append(f"environment: {name}: {error}")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _check_elasticsearch(store: Store, lines: Mapping[str, int], wrong: Callable[[str, str], None]) -> None:
    settings = store.elasticsearch
    for name in ("password", "api_key"):
        secret: Secret = getattr(settings, name)
        if secret and not secret.sealed and f"store.elasticsearch.{name}" in lines:
            wrong(
                f"store.elasticsearch.{name}",
                f"no plain secrets in this file: seal it with ./liandun store seal, or use {name}_file, "
                f"or LIANDUN_STORE_ELASTICSEARCH_{name.upper()}",
            )
    for name in ("prefix", "namespace"):
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.]{0,60}", getattr(settings, name)):
            wrong(f"store.elasticsearch.{name}", f"{getattr(settings, name)!r}: use lower-case letters, digits, . and _")
    if not 1 <= settings.shards <= 1024:
        wrong("store.elasticsearch.shards", f"{settings.shards} is not between 1 and 1024")
    if not -1 <= settings.replicas <= 5:
        wrong("store.elasticsearch.replicas", f"{settings.replicas} is not between -1 (as the cluster allows) and 5")
    if not 1 <= settings.timeout_seconds <= 3600:
        wrong("store.elasticsearch.timeout_seconds", "must be 1 to 3600")
    if store.engine != "elasticsearch":
        return
    if not settings.urls:
        wrong("store.elasticsearch.urls", 'is needed with engine = "elasticsearch", e.g. ["https://es1.example.cn:9200"]')
    for url in settings.urls:
        try:
            parts = urlsplit(url)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port is not None
        except ValueError:
            sound = False
        if not sound:
            wrong("store.elasticsearch.urls", "every one is https://HOST:PORT (or http://), IPv6 addresses in brackets")
        elif parts.username or parts.password:
            wrong("store.elasticsearch.urls", "no user or password in a URL: it would be logged; use user and password_file")
    if settings.api_key or settings.api_key_file:
        if settings.user:
            wrong("store.elasticsearch.user", "give either a user or an API key")
    elif settings.user and not (settings.password or settings.password_file):
        wrong("store.elasticsearch.user", "needs password, password_file or LIANDUN_STORE_ELASTICSEARCH_PASSWORD")


def _check_audit(audit: Audit, wrong: Callable[[str, str], None]) -> None:
    if not 1 <= audit.head_seconds <= 86_400:
        wrong("audit.head_seconds", f"{audit.head_seconds} is not between 1 and 86400")
    if not audit.syslog:
        return
    try:
        parts = urlsplit(audit.syslog)
        sound = parts.scheme in ("udp", "tcp", "tls") and bool(parts.hostname) and parts.port != 0 and not parts.path.strip("/")
    except ValueError:
        sound = False
    if not sound:
        wrong("audit.syslog", f"{audit.syslog!r}: write udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT, IPv6 in brackets")


_ACCOUNT_BOUNDS: dict[str, tuple[int, int, str]] = {
    "password_length": (10, 64, "shorter ones are guessed"),
    "password_history": (1, 24, ""),
    "password_days": (1, 3650, "GB/T 22239-2019 8.1.4.1 a asks for passwords to be changed"),
    "max_failures": (1, 10, "GB/T 22239-2019 8.1.4.1 b asks for failures to be limited"),
    "lock_minutes": (1, 1440, ""),
    "idle_minutes": (1, 30, "an unattended session is open to whoever passes by"),
    "admin_idle_minutes": (1, 30, "an unattended session is open to whoever passes by"),
    "session_hours": (1, 12, ""),
    "unused_days": (1, 365, ""),
}


def _check_accounts(accounts: Accounts, wrong: Callable[[str, str], None]) -> None:
    for name, (least, most, why) in _ACCOUNT_BOUNDS.items():
        value = getattr(accounts, name)
        if not least <= value <= most:
            wrong(f"accounts.{name}", f"{value} is not between {least} and {most}" + (f": {why}" if why else ""))
    for network in accounts.admin_networks:
        if not _is_network(network):
            wrong("accounts.admin_networks", f"{network!r} is no network, write e.g. 10.9.0.0/16 or 2001:db8:9::/48")
    ldap, oidc = accounts.ldap, accounts.oidc
    if ldap.url and not (ldap.url.startswith("ldaps://") or (ldap.url.startswith("ldap://") and ldap.start_tls)):
        wrong("accounts.ldap.url", "passwords travel sealed only: ldaps://HOST, or ldap://HOST with start_tls = true")
    if ldap.url and "{name}" not in ldap.user_filter:
        wrong("accounts.ldap.user_filter", "must hold {name}")
    if oidc.issuer and not (
        oidc.issuer.startswith("https://") or re.match(r"http://(localhost|127\.0\.0\.1|\[::1\])[:/]", oidc.issuer)
    ):
        wrong("accounts.oidc.issuer", "must be https:// (http only on this machine)")
    if oidc.issuer and not oidc.client_id:
        wrong("accounts.oidc.client_id", "is needed with an issuer")


def _check_links(links: Links, wrong: Callable[[str, str], None]) -> None:
    seen: set[str] = set()
    for index, listener in enumerate(links.listener):
        key = f"links.listener.{index}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", listener.id) or listener.id in seen:
            wrong(f"{key}.id", f"{listener.id!r}: a name of its own, of lower-case letters, digits, - and _")
        seen.add(listener.id)
        if not 1 <= listener.port <= 65535:
            wrong(f"{key}.port", f"{listener.port} is no port (1 to 65535)")
        needed = ["certificate", "key", "ca"] + (["enc_certificate", "enc_key"] if listener.suite == "tlcp" else [])
        for name in needed:
            if getattr(listener, name) is None and getattr(links, name) is None:
                wrong(f"{key}.{name}", f"is needed for {listener.suite}, here or in [links]: a PEM file (docs/links.md)")
    for name in ("max_connections", "per_address", "max_handshakes"):
        if getattr(links, name) < 1:
            wrong(f"links.{name}", "must be at least 1")
    for name in ("handshake_seconds", "idle_seconds"):
        if getattr(links, name) <= 0:
            wrong(f"links.{name}", "must be more than 0")


def _check_secrets(secrets: Secrets, lines: Mapping[str, int], wrong: Callable[[str, str], None]) -> None:
    token, device = secrets.pkcs11, secrets.sdf
    if token.pin and "secrets.pkcs11.pin" in lines:
        wrong("secrets.pkcs11.pin", "no PIN in this file: use pin_file, pin_credential, or LIANDUN_SECRETS_PKCS11_PIN")
    if secrets.keeper == "pkcs11" and token.module is None:
        wrong("secrets.pkcs11.module", 'is needed with keeper = "pkcs11": the shared library of the token')
    if token.module is not None and not (token.pin or token.pin_credential or token.pin_file):
        wrong("secrets.pkcs11.pin_file", "a token needs its PIN: pin_file, pin_credential, or LIANDUN_SECRETS_PKCS11_PIN")
    if not re.fullmatch(r"[\w.@:-]{0,255}", token.pin_credential):
        wrong("secrets.pkcs11.pin_credential", "is the name of a credential, not a path")
    for name, value, longest in (("token", token.token, 32), ("key", token.key, 255)):
        if not 1 <= len(value.encode()) <= longest:
            wrong(f"secrets.pkcs11.{name}", f"is a label of 1 to {longest} bytes")
    if secrets.keeper == "sdf" and device.library is None:
        wrong("secrets.sdf.library", 'is needed with keeper = "sdf": the shared library of the device')
    if not 0 <= device.kek <= 65535:
        wrong("secrets.sdf.kek", f"{device.kek} is not between 0 and 65535")


def _check(config: Config, file: str, lines: Mapping[str, int], problems: list[str]) -> None:
    """What types alone cannot say."""

    def wrong(key: str, message: str) -> None:
        problems.append(f"{_where(file, lines, key)}: {message}")

    ports = {
        "console.port": config.console.port,
        "ingest.syslog.udp_port": config.ingest.syslog.udp_port,
        "ingest.syslog.tcp_port": config.ingest.syslog.tcp_port,
    }
    for key, port in ports.items():
        if not 0 <= port <= 65535:
            wrong(key, f"{port} is no port (0 to 65535)")
    if config.console.port == 0:
        wrong("console.port", "0 does not switch the console off; choose a port")
    if config.console.threads < 1:
        wrong("console.threads", "must be at least 1")
    for network in config.webhooks.allowed_networks:
        if not _is_network(network):
            wrong("webhooks.allowed_networks", f"{network!r} is no network, write e.g. 10.1.0.0/16 or fd00::/8")
    if config.store.retention_days < MINIMUM_RETENTION_DAYS and not config.platform.demo:
        wrong(
            "store.retention_days",
            f"{config.store.retention_days} is less than {MINIMUM_RETENTION_DAYS}: network logs are kept at least six months "
            "(《网络安全法》 on log retention; GB/T 22239-2019 level 3, security audit)",
        )
    _check_elasticsearch(config.store, lines, wrong)
    _check_audit(config.audit, wrong)
    _check_accounts(config.accounts, wrong)
    _check_links(config.links, wrong)
    _check_secrets(config.secrets, lines, wrong)
    if config.ingest.spool_gib < 0.05:
        wrong("ingest.spool_gib", "must be at least 0.05")
    try:
        ZoneInfo(config.ingest.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        wrong("ingest.time_zone", f"{config.ingest.time_zone!r} is no time zone (write e.g. Asia/Shanghai or UTC)")
    if config.alerts.window_minutes < 1:
        wrong("alerts.window_minutes", "must be at least 1")
    seen: set[str] = set()
    for kind in ("tail", "pcap_folder", "interface"):
        for index, source in enumerate(getattr(config.ingest, kind)):
            if source.id in seen:
                wrong(f"ingest.{kind}.{index}.id", f"{source.id!r} is used twice; every source needs a name of its own")
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", source.id):
                wrong(f"ingest.{kind}.{index}.id", f"{source.id!r}: use lower-case letters, digits, - and _")
            seen.add(source.id)
