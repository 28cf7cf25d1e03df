from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from kernel.config import Compliance, Interface, PacketFolder, Platform, StoreElasticsearch, Tail, load_config
from kernel.config.alerts import Alerts, Detect, Webhooks
from kernel.config.ingest import Ingest, Syslog
from kernel.config.platform import Console
from kernel.config.playbooks import AccountDirectory, DnsServer, Playbooks
from kernel.config.store import Store
from kernel.errors import ConfigError


def load(tmp_path: Path, text: str, **environ: str):
    file = tmp_path / "liandun.toml"
    file.write_text(text, "utf-8")
    return load_config(file, environ)


def test_defaults_need_no_file() -> None:
    config = load_config(None, {"LIANDUN_DATA": "/nowhere"})
    assert config.data_dir == Path("/nowhere")
    assert config.store.retention_days == 180


def test_file_and_environment(tmp_path: Path) -> None:
    text = '[console]\nport = 9000\n[[ingest.tail]]\nid = "auth"\npaths = ["/var/log/auth.log"]\nformat = "syslog"\n'
    config = load(tmp_path, text, LIANDUN_CONSOLE_PORT="9100", LIANDUN_INGEST_SYSLOG_TCP_PORT="0")
    assert config.console.port == 9100
    assert config.ingest.tail[0].paths == ["/var/log/auth.log"]
    assert config.ingest.syslog.tcp_port == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[consol]\nport = 1\n", "liandun.toml:1: consol: unknown section, did you mean console?"),
        ("[console]\n\nprot = 1\n", "liandun.toml:3: console.prot: unknown key, did you mean port?"),
        ('[console]\nport = "x"\n', "liandun.toml:2: console.port: expected `int`, got `str`"),
        ("[console]\nport = 70000\n", "liandun.toml:2: console.port: 70000 is no port"),
        ("[store]\nretention_days = 30\n", "liandun.toml:2: store.retention_days: 30 is less than 180"),
        ('[store]\nengine = "lucene"\n', "liandun.toml:2: store.engine: invalid enum value 'lucene'"),
        ('[store]\nengine = "elasticsearch"\n', "store.elasticsearch.urls: is needed"),
        ('[store.elasticsearch]\npassword = "plain"\n', "liandun.toml:2: store.elasticsearch.password: no plain secrets"),
        (
            '[store]\nengine = "elasticsearch"\n[store.elasticsearch]\nurls = ["https://u:p@es:9200"]\n',
            "liandun.toml:4: store.elasticsearch.urls: no user or password in a URL",
        ),
        ('[store.elasticsearch]\nnamespace = "A b"\n', "liandun.toml:2: store.elasticsearch.namespace: 'A b'"),
        ('[[ingest.tail]]\nid = "a"\npaths = [1]\n', "liandun.toml:3: ingest.tail.0.paths"),
        ('[[ingest.tail]]\nid = "a"\npaths = []\n[[ingest.tail]]\nid = "a"\npaths = []\n', "liandun.toml:5: ingest.tail.1.id"),
        ('[ingest]\ntime_zone = "Mars/Olympus"\n', "liandun.toml:2: ingest.time_zone: 'Mars/Olympus' is no time zone"),
        ("[console\n", "liandun.toml: Expected"),
        ("console = 1\n", "liandun.toml:1: console: must be a table"),
    ],
)
def test_mistakes_name_file_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "[console]\nport = -1\nnope = 2\n[alerts]\nwindow_minutes = 0\n")
    assert len(caught.value.message.splitlines()) == 3


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    text = '[store]\nengine = "elasticsearch"\n[store.elasticsearch]\nurls = ["https://es:9200"]\nuser = "u"\n'
    config = load(tmp_path, text, LIANDUN_STORE_ELASTICSEARCH_PASSWORD="geheim")
    assert config.store.elasticsearch.password.reveal() == "geheim"
    assert "geheim" not in repr(config)
    assert "geheim" not in msgspec.json.encode(config, enc_hook=str).decode()


def test_wrong_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LIANDUN_CONSOLE_PORT"):
        load(tmp_path, "", LIANDUN_CONSOLE_PORT="many")


def test_the_manuals_example_has_no_mistakes_and_names_every_key(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
    example = manual.split("```toml\n")[1].split("```")[0]
    load(tmp_path, example)
    sections = (
        Platform,
        Console,
        Ingest,
        Syslog,
        Tail,
        PacketFolder,
        Interface,
        Detect,
        Store,
        StoreElasticsearch,
        Alerts,
        Webhooks,
        Playbooks,
        DnsServer,
        AccountDirectory,
        Compliance,
    )
    for struct in sections:
        for key in struct.__struct_fields__:
            assert re.search(rf"\b{key}\b", example), f"{struct.__name__}.{key} is not in the manual"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('folder = "files"', "compliance.folder: must be a whole path"),
        ("file_days = 0", "compliance.file_days: 0 is not between 1 and 366"),
    ],
)
def test_where_files_for_compliance_lie_is_checked(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        load(tmp_path, f"[compliance]\n{lines}\n")


def test_what_would_fail_later_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "liandun.toml"
    file.write_text(
        '[console]\nport = 0\nthreads = 0\n[webhooks]\nallowed_networks = ["10.0.0.1/8"]\n'
        '[[ingest.tail]]\nid = "a"\npaths = ["/var/log/a"]\nformat = "sysolg"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_config(file, {}, formats=["json", "syslog"])
    lines = caught.value.message.splitlines()
    assert lines[0].startswith(f"{file}:2: console.port: 0 does not switch")
    assert lines[1] == f"{file}:3: console.threads: must be at least 1"
    assert lines[2].startswith(f"{file}:5: webhooks.allowed_networks: '10.0.0.1/8' is no network")
    assert lines[3] == f"{file}:9: ingest.tail.0.format: 'sysolg' is no format, did you mean syslog?"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("head_seconds = 0", "not between 1 and 86400"),
        ('syslog = "http://keeper:514"', "write udp://HOST:PORT"),
        ('syslog = "udp://"', "write udp://HOST:PORT"),
        ('syslog = "tcp://keeper:99999"', "write udp://HOST:PORT"),
        ('syslog = "tls://keeper/path"', "write udp://HOST:PORT"),
    ],
)
def test_where_heads_of_the_audit_trail_go_is_checked(tmp_path: Path, lines: str, words: str) -> None:
    file = tmp_path / "liandun.toml"
    file.write_text(f"[audit]\n{lines}\n")
    with pytest.raises(ConfigError, match=words):
        load_config(file, {})


@pytest.mark.parametrize("target", ["", "udp://10.0.0.1", "tcp://[fd00::1]:601", "tls://keeper.example.cn:6514"])
def test_places_that_heads_can_go_to(tmp_path: Path, target: str) -> None:
    file = tmp_path / "liandun.toml"
    file.write_text(f'[audit]\nsyslog = "{target}"\nwebhook = "keeper"\n')
    assert load_config(file, {}).audit.syslog == target


def test_warning_before_certificates_end(tmp_path: Path) -> None:
    file = tmp_path / "liandun.toml"
    file.write_text('[certificates]\nwarn_days = [60, 3]\nwatch = ["/etc/x.crt"]\n')
    settings = load_config(file, {}).certificates
    assert (settings.warn_days, settings.watch) == ([60, 3], [Path("/etc/x.crt")])
    assert load_config(file, {"LIANDUN_CERTIFICATES_CHECK_SECONDS": "5"}).certificates.check_seconds == 5
    for text in ("warn_days = []", "warn_days = [0]", "check_seconds = 0"):
        file.write_text(f"[certificates]\n{text}\n")
        with pytest.raises(ConfigError, match=r"liandun.toml:2: certificates\."):
            load_config(file, {})


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('[secrets]\nkeeper = "pkcs11"', "secrets.pkcs11.module: is needed"),
        ('[secrets]\nkeeper = "sdf"', "secrets.sdf.library: is needed"),
        ('[secrets]\nkeeper = "paper"', "secrets.keeper"),
        ('[secrets.pkcs11]\nmodule = "/lib/x.so"', "a token needs its PIN"),
        ('[secrets.pkcs11]\nmodule = "/lib/x.so"\npin = "1234"', ":3: secrets.pkcs11.pin: no PIN in this file"),
        ('[secrets.pkcs11]\npin_credential = "../pin"', "the name of a credential, not a path"),
        ('[secrets.pkcs11]\ntoken = "a label of more than 32 bytes, no"', "label of 1 to 32 bytes"),
        ("[secrets.sdf]\nkek = -1", "not between 0 and 65535"),
        ('[secrets.sdf]\nkek_algorithm = "aes"', "kek_algorithm"),
    ],
)
def test_keepers_of_the_master_key_are_checked(tmp_path: Path, lines: str, words: str) -> None:
    file = tmp_path / "liandun.toml"
    file.write_text(lines + "\n")
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        load_config(file, {})
    assert "1234" not in caught.value.message


def test_a_pin_in_the_environment_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "liandun.toml"
    file.write_text('[secrets]\nkeeper = "pkcs11"\n[secrets.pkcs11]\nmodule = "/lib/x.so"\n')
    secrets = load_config(file, {"LIANDUN_SECRETS_PKCS11_PIN": "12345678"}).secrets
    assert secrets.pkcs11.pin.reveal() == "12345678"
    assert "12345678" not in repr(secrets)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('[playbooks]\nknown_hosts = "known_hosts"', "playbooks.known_hosts: must be a whole path"),
        ('[playbooks]\nprotected_networks = ["10.0.0.1/8"]', "playbooks.protected_networks: '10.0.0.1/8' is no network"),
        ('[playbooks]\nplain_hosts = ["http://cam"]', "playbooks.plain_hosts: 'http://cam' is no host"),
        ('[playbooks]\nplain_hosts = ["10.0.0.0/8"]', "playbooks.plain_hosts: '10.0.0.0/8' is no host"),
        ('[playbooks]\nplain_hosts = ["cam:0"]', "playbooks.plain_hosts: 'cam:0' is no host"),
        ('[playbooks]\nplain_hosts = ["*.cn"]', "playbooks.plain_hosts: '*.cn' is no host"),
        ('[playbooks]\nmanagement_networks = ["x"]', "playbooks.management_networks: 'x' is no network"),
        ('[playbooks]\nprotected_domains = ["city gov"]', "playbooks.protected_domains: 'city gov' is no domain name"),
        ('[playbooks]\nsinkhole = ["10.0.0.0/24"]', "playbooks.sinkhole: '10.0.0.0/24' is no address"),
        ("[playbooks.unbound]\ncheck = []", "playbooks.unbound: check and reload are commands"),
        ('[playbooks.dnsmasq]\nfolder = "../x"', "playbooks.dnsmasq.folder: must be a whole path"),
        ('[playbooks.directory]\nurl = "ldap://x"\nstart_tls = false', "passwords travel sealed only"),
        ('[playbooks.directory]\nurl = "ldaps://x"\nuser_filter = "(uid=x)"', "playbooks.directory.user_filter: must hold {name}"),
        ('[playbooks.directory]\nurl = "ldaps://x"', "playbooks.directory.bind_dn: is needed"),
    ],
)
def test_what_playbooks_may_touch_is_checked(tmp_path: Path, lines: str, words: str) -> None:
    file = tmp_path / "liandun.toml"
    file.write_text(lines + "\n")
    with pytest.raises(ConfigError, match=re.escape(words)):
        load_config(file, {})
