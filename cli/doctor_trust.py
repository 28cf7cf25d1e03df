"""What the doctor says of cryptography: libraries, their known answers, links, certificates that end."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from cli.finding import Finding
from cli.roles.expiry_watch import certificate_files
from crypto import selftest
from crypto.channel.process import prepare
from crypto.channel.tlcp import library_version
from crypto.errors import CryptoError
from crypto.sm3 import sm3
from kernel.config import Config
from kernel.db import open_database
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.certificates.expiry import Expiry, expiring, expiring_files, in_order

_SM3_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
"""SM3("abc"), GB/T 32905-2016 annex A.1."""
_SHOWN = 20


def sm3_finding() -> Finding:
    if sm3(b"abc").hex() != _SM3_ABC:
        return Finding("sm3", "bad", "SM3 gives a wrong digest (example of GB/T 32905)", "replace this build of OpenSSL")
    where = "Python's OpenSSL" if "sm3" in hashlib.algorithms_available else "the cryptography package"
    return Finding("sm3", "ok", f"SM3 of {where} passes the example of GB/T 32905")


def self_test() -> Finding:
    """Known answers of every algorithm, and a second implementation (./liandun crypto selftest has the lines)."""
    findings = list(selftest.run())
    used = ", ".join(
        f"{one.service} {one.backend}" for one in findings if one.state == "used" and one.service in ("SM2", "SM4-GCM")
    )
    failed = [f"{one.service} {one.backend}: {one.detail}" for one in findings if one.state == "FAILED"]
    if not selftest.sound(findings):
        hint = "./liandun crypto selftest; replace the library that fails"
        return Finding("crypto", "bad", f"self-test not sound: {'; '.join(failed) or 'SM2 or SM4-GCM is not served'}", hint)
    right = sum(one.state in ("used", "ready") for one in findings)
    return Finding("crypto", "ok", f"self-test sound: {right} known answers and a second implementation agree ({used})")


_SAY_GROUPS = """
from OpenSSL import SSL
context = SSL.Context(SSL.TLS_METHOD)
context.set_tls13_ciphersuites(b"TLS_SM4_GCM_SM3")
print(SSL.SSLeay_version(0).decode(), end="")
"""


def links_finding() -> Finding:
    """Domestic TLS 1.3 (RFC 8998), asked in a process of its own with the OpenSSL settings that links use."""
    hint = "pip install 'pyopenssl>=26.4' 'cryptography>=50' (OpenSSL 4 inside)"
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ)
        prepare(Path(folder), environ=environment)
        try:
            answer = subprocess.run(
                [sys.executable, "-c", _SAY_GROUPS], env=environment, capture_output=True, text=True, timeout=30, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Finding("links", "warn", f"domestic TLS 1.3 cannot be tried: {error}", hint)
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Finding("links", "warn", f"no domestic TLS 1.3 (RFC 8998): {reason}", hint)
    return Finding("links", "ok", f"TLS 1.3 with SM2, SM3 and SM4 (RFC 8998): {answer.stdout}")


def tlcp_finding() -> Finding:
    try:
        return Finding("tlcp", "ok", f"TLCP (GB/T 38636), by a library on the base of {library_version()}")
    except CryptoError as error:
        return Finding("tlcp", "warn", f"no TLCP (GB/T 38636), links use TLS 1.3: {error}", "pip install 'liandun[tlcp]' (x86_64)")


def certificates(config: Config) -> list[Finding]:
    """One line for each certificate or list that ends soon or cannot be read, at most some; one in all where none does."""
    now, days = datetime.now(UTC), config.certificates.warn_days
    files = list(certificate_files(config))
    found, problems = expiring_files(files, now, days)
    known, problem = _of_the_database(config, now)
    ending = in_order([*found, *known])
    lines = [_line(one) for one in ending[:_SHOWN]]
    if len(ending) > _SHOWN:
        lines.append(Finding("certificate", "warn", f"and {len(ending) - _SHOWN} more", "./liandun crypto ca list"))
    lines += [Finding("certificate", "bad", text, "mend [links] or [certificates] of the configuration") for text in problems]
    if problem:
        lines.append(Finding("certificates", "warn", f"those of the state database are not known: {problem}"))
    if not lines:
        detail = f"none ends within {max(days)} days ({len(dict.fromkeys(files))} files of links, and the state database)"
        lines.append(Finding("certificates", "ok", detail))
    return lines


def _of_the_database(config: Config, now: datetime) -> tuple[list[Expiry], str]:
    layout = Layout(config.data_dir)
    if not layout.has_state:
        return [], ""
    try:
        database = open_database(layout.state_url)
        try:
            with database.read() as session:
                return expiring(session, now, config.certificates.warn_days), ""
        finally:
            database.close()
    except (LiandunError, SQLAlchemyError) as error:  # of an older version, or locked away from this account
        return [], str(getattr(error, "orig", error)).splitlines()[0]


def _line(one: Expiry) -> Finding:
    hint = "./liandun crypto ca take-list" if one.kind == "list" else "renew it: ./liandun crypto ca renew, or ask its issuer"
    detail = f"{one.subject} ({one.kind} {one.place})"
    if not one.days_left:
        return Finding("certificate", "bad" if one.kind == "link" else "warn", f"{detail} ended on {one.not_after:%Y-%m-%d}", hint)
    return Finding("certificate", "warn", f"{detail} ends on {one.not_after:%Y-%m-%d}, within {one.days_left} day(s)", hint)
