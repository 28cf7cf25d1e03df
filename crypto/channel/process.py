"""The process that holds domestic links.

OpenSSL takes the lists of groups and of signature algorithms from the file that OPENSSL_CONF names, for the whole process and
once, when it is first loaded; pyOpenSSL has no public call for them, and without them OpenSSL quietly agrees on X25519MLKEM768. So
:func:`enter` starts the program anew with such a file before anything of OpenSSL is touched. Every connection is still asked which
group it got (:mod:`crypto.channel.tls13`): a forgotten file is an error, not a foreign link.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

ENVIRONMENT = "OPENSSL_CONF"
_MARK = "LIANDUN_LINK_PROCESS"
STRICT_GROUPS = "curveSM2"
STRICT_SIGNATURES = "sm2sig_sm3"
MIXED_GROUPS = "curveSM2:X25519:secp256r1:secp384r1"
MIXED_SIGNATURES = (
    "sm2sig_sm3:ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512"
)
_TEMPLATE = """openssl_conf = liandun
[liandun]
ssl_conf = liandun_ssl
[liandun_ssl]
system_default = liandun_links
[liandun_links]
Groups = {groups}
SignatureAlgorithms = {signatures}
NumTickets = 0
"""


def settings(classic: bool) -> str:
    """Text of the OpenSSL configuration; ``classic`` adds the groups and signatures of classic links behind the domestic ones."""
    if classic:
        return _TEMPLATE.format(groups=MIXED_GROUPS, signatures=MIXED_SIGNATURES)
    return _TEMPLATE.format(groups=STRICT_GROUPS, signatures=STRICT_SIGNATURES)


def prepare(folder: Path, environ: MutableMapping[str, str], *, classic: bool = False) -> bool:
    """Write the file into ``folder`` and name it in ``environ``; False where ``environ`` names it already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / ("openssl-mixed.cnf" if classic else "openssl-domestic.cnf")
    if environ.get(ENVIRONMENT) == str(path) and environ.get(_MARK) == str(os.getpid()):
        return False
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(settings(classic), "utf-8")
    temporary.replace(path)
    environ[ENVIRONMENT] = str(path)
    environ[_MARK] = str(os.getpid())  # exec keeps the process number; a child of ours does not count as prepared
    return True


def enter(folder: Path, *, classic: bool = False) -> None:
    """Make this process fit for links: returns where it is, else replaces the process by itself with the right environment."""
    if prepare(folder, os.environ, classic=classic):
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 — our own program again
