"""[links]: what is missing or wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.config import Links, load_config
from kernel.errors import ConfigError

FILES = 'certificate = "/x.crt"\nkey = "/x.key"\nca = "/ca.crt"\n'


def load(folder: Path, text: str) -> Links:
    (folder / "c.toml").write_text(text, "utf-8")
    return load_config(folder / "c.toml", {}).links


def test_sound(tmp_path: Path) -> None:
    shared = load(tmp_path, f'[links]\n{FILES}[[links.listener]]\nid = "a"\nkind = "syslog"\nport = 6514\n')
    own = load(tmp_path, f'[links]\n[[links.listener]]\nid = "a"\nkind = "https"\nport = 6514\n{FILES}')
    assert shared.certificate == own.listener[0].certificate is not None
    assert [(one.id, one.kind, one.port, one.suite) for one in shared.listener] == [("a", "syslog", 6514, "domestic")]
    assert (own.listener[0].kind, own.certificate) == ("https", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[links]\n[[links.listener]]\nid = "a"\nkind = "syslog"\nport = 6514\n', "listener.0.certificate: is needed for domestic"),
        (
            f'[links]\n{FILES}[[links.listener]]\nid = "a"\nkind = "syslog"\nsuite = "tlcp"\nport = 1\n',
            "enc_certificate: is needed for tlcp",
        ),
        (f'[links]\n{FILES}[[links.listener]]\nid = "a"\nkind = "syslog"\nport = 0\n', r":8: links.listener.0.port: 0 is no port"),
        (f'[links]\n{FILES}[[links.listener]]\nid = "A b"\nkind = "syslog"\nport = 1\n', "a name of its own"),
        ("[links]\nmax_handshakes = 0\n", "must be at least 1"),
        ('[links]\n[[links.listener]]\nid = "a"\nkind = "ftp"\nport = 1\n', ":4: links.listener.0.kind"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, text)
