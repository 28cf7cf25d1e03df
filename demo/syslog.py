"""Linux and web server records as syslog lines (RFC 5424, and RFC 3164 where the program is old-fashioned)."""

from __future__ import annotations

from datetime import datetime

from kernel.event import SHANGHAI

AUTH, AUTHPRIV, CRON, DAEMON, LOCAL7 = 4, 10, 9, 3, 23
NOTICE, INFO, WARNING = 5, 6, 4


def rfc5424(moment: datetime, facility: int, severity: int, host: str, program: str, pid: int, text: str) -> bytes:
    """One RFC 5424 line; the stamp carries the city's zone (+08:00)."""
    stamp = moment.astimezone(SHANGHAI).isoformat(timespec="microseconds")
    return f"<{facility * 8 + severity}>1 {stamp} {host} {program} {pid or '-'} - - {text}".encode()


def rfc3164(moment: datetime, facility: int, severity: int, host: str, tag: str, text: str) -> bytes:
    """One RFC 3164 line; its stamp has neither year nor zone: local time, as devices in the city write it."""
    local = moment.astimezone(SHANGHAI)
    return f"<{facility * 8 + severity}>{local:%b} {local.day:2d} {local:%H:%M:%S} {host} {tag}: {text}".encode()


def sshd_failed(moment: datetime, host: str, pid: int, user: str, source: str, port: int, known: bool) -> bytes:
    """OpenSSH: a wrong password; ``known`` False = the account does not exist."""
    who = user if known else f"invalid user {user}"
    return rfc5424(moment, AUTHPRIV, INFO, host, "sshd", pid, f"Failed password for {who} from {source} port {port} ssh2")


def sshd_accepted(moment: datetime, host: str, pid: int, user: str, source: str, port: int, method: str) -> bytes:
    """OpenSSH: a login. ``method``: password or publickey."""
    key = ": ED25519 SHA256:2pE3VY1xwJ0cC1N0tDemoKeyOfLanting00000000000" if method == "publickey" else ""
    text = f"Accepted {method} for {user} from {source} port {port} ssh2{key}"
    return rfc5424(moment, AUTHPRIV, INFO, host, "sshd", pid, text)


def sshd_session(moment: datetime, host: str, pid: int, user: str, opened: bool) -> bytes:
    """pam_unix: a session opened or closed."""
    text = f"session opened for user {user}(uid=1001) by (uid=0)" if opened else f"session closed for user {user}"
    return rfc5424(moment, AUTHPRIV, INFO, host, "sshd", pid, f"pam_unix(sshd:session): {text}")


def sudo(moment: datetime, host: str, user: str, directory: str, command: str) -> bytes:
    """sudo: a command run as root."""
    text = f"{user} : TTY=pts/0 ; PWD={directory} ; USER=root ; COMMAND={command}"
    return rfc5424(moment, AUTHPRIV, NOTICE, host, "sudo", 0, text)


def cron(moment: datetime, host: str, pid: int, user: str, command: str) -> bytes:
    """cron: a job started."""
    return rfc3164(moment, CRON, INFO, host, f"CRON[{pid}]", f"({user}) CMD ({command})")


def auditd_execve(moment: datetime, host: str, serial: int, arguments: tuple[str, ...]) -> bytes:
    """Linux audit EXECVE record (auditd's syslog plugin); an argument with a space or quote is written in hex, as auditd does."""
    words = [f"a{n}={_audit_text(word)}" for n, word in enumerate(arguments)]
    text = f"type=EXECVE msg=audit({moment.timestamp():.3f}:{serial}): argc={len(arguments)} {' '.join(words)}"
    return rfc5424(moment, DAEMON, INFO, host, "audispd", 0, text)


def _audit_text(word: str) -> str:
    return word.encode().hex().upper() if any(ch in word for ch in ' "') else f'"{word}"'


def nginx(
    moment: datetime,
    host: str,
    source: str,
    request: str,
    status: int,
    size: int,
    agent: str,
    referrer: str = "-",
) -> bytes:
    """nginx access log, combined format, sent by nginx's own syslog target."""
    stamp = moment.astimezone(SHANGHAI).strftime("%d/%b/%Y:%H:%M:%S %z")
    text = f'{source} - - [{stamp}] "{request}" {status} {size} "{referrer}" "{agent}"'
    return rfc5424(moment, LOCAL7, INFO, host, "nginx", 0, text)
