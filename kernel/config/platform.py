"""[platform] and [console]: where data lives, how the city is called, where people reach it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kernel.config.mistakes import Mistakes

ROOT = Path(__file__).resolve().parents[2]


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


def check_console(console: Console, mistakes: Mistakes) -> None:
    if not 0 <= console.port <= 65535:
        mistakes.add("console.port", f"{console.port} is no port (0 to 65535)")
    if console.port == 0:
        mistakes.add("console.port", "0 does not switch the console off; choose a port")
    if console.threads < 1:
        mistakes.add("console.threads", "must be at least 1")
