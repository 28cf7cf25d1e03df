"""``./liandun COMMAND``: one file per command, imported only when called."""

from __future__ import annotations

import importlib
import sys

import click

from cli.terminal import visible
from crypto.errors import CryptoError
from kernel.errors import LiandunError
from kernel.version import VERSION

COMMANDS = {
    "audit": "cli.audit",
    "backup": "cli.backup",
    "accounts": "cli.accounts",
    "config": "cli.config",
    "crypto": "cli.crypto",
    "detect": "cli.detect",
    "forward": "cli.forward",
    "search": "cli.search",
    "rules": "cli.rules",
    "store": "cli.store",
    "serve": "cli.serve",
    "indicators": "cli.indicators",
    "reports": "cli.reports",
    "role": "cli.role",
    "demo": "cli.demo",
    "secrets": "cli.secrets",
    "doctor": "cli.doctor",
    "evidence": "cli.evidence",
    "zones": "cli.zones",
    "playbook": "cli.playbook",
    "compliance": "cli.compliance",
}


class LazyGroup(click.Group):
    """A group whose commands live in modules that each define ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = importlib.import_module(module).command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="liandun")
def main() -> None:
    """Liandun (莲盾): security operations and MLPS compliance for a smart city."""


def run() -> int:
    """Exit code: 0 done, 1 an error told to the user in one line, 2 wrong usage."""
    try:
        code = main.main(prog_name="liandun", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return 1
    except click.Abort:
        print("liandun: stopped", file=sys.stderr)
        return 130
    except (LiandunError, CryptoError) as error:
        print(f"liandun: {visible(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    except OSError as error:
        if not error.filename or not error.strerror:
            raise
        print(f"liandun: {visible(str(error.filename))}: {error.strerror}", file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0  # click gives back the code of an Exit that a command raised


if __name__ == "__main__":
    sys.exit(run())
