"""What a TLS or TLCP endpoint offers: some connections, each ended after the first answer; nothing is sent through them."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.formats import tls_hello as tls
from compliance.probes.formats.certificate import certificate
from compliance.probes.formats.tls_hello import Answer, NotTls
from crypto.channel.names import SUITES
from crypto.channel.probe import probe as domestic_probe
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

_SECONDS, _MOST = 5.0, 131_072
_CLASSIC = (*tls.STRONG, *tls.OLD, *tls.STATIC, *tls.BROKEN)
_ASKED = {
    "SSLv3": (*tls.OLD, *tls.STATIC, *tls.BROKEN), "TLSv1.0": _CLASSIC, "TLSv1.1": _CLASSIC, "TLSv1.2": _CLASSIC,
    "TLSv1.3": tuple(tls.TLS13),
}  # fmt: skip


class TlsEndpoint(msgspec.Struct, frozen=True):
    """What is trusted: certificates of ``ca_file`` or of ``ca`` (PEM), which may be the endpoint's own; else the system's."""

    host: str
    port: int
    ca_file: Path | None = None
    ca: str = ""
    sources: tuple[Source, ...] = ("tls",)

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        try:
            socket.create_connection((self.host, self.port), min(_SECONDS, time_left.left())).close()
        except (OSError, UnicodeError) as error:
            raise LiandunError(f"{self.name} does not answer: {error}") from error
        return _Scan(self, time_left).parts()


class _Silent(Exception):
    """It cannot be told whether something is offered."""


class _Scan:
    def __init__(self, endpoint: TlsEndpoint, time_left: TimeLeft) -> None:
        self._endpoint, self._time_left = endpoint, time_left
        self._shown = b""
        self._server_name = "" if _is_address(endpoint.host) else endpoint.host

    def parts(self) -> dict[str, Part]:
        try:
            answers = {version: self._ask(version, suites) for version, suites in _ASKED.items()}
            suites = self._suites(answers)
            domestic = self._domestic()
        except (NotTls, _Silent) as error:
            return {name: Part("", str(error)) for name in ("offers", "certificate", "trust", "suites")}
        offers = {version: tls.NAMES.get(one.suite, f"{one.suite:#06x}") if one else None for version, one in answers.items()}
        for question, suite in (("TLCP", domestic.get("tlcp")), ("RFC 8998", domestic.get("rfc8998"))):
            offers[question] = suite
        return {
            "offers": _json(offers, "openssl s_client -tls1_2 -connect …"),
            "suites": _json(suites, "nmap --script ssl-enum-ciphers"),
            "certificate": self._certificate(answers),
            "trust": self._trust(),
            "host": Part(self._endpoint.host),
        }

    def _suites(self, answers: dict[str, Answer | None]) -> dict[str, list[str]]:
        """All broken and static suites that the oldest and the newest of TLS 1.0 to 1.2 agree to, by kind."""
        classic = [version for version in ("TLSv1.0", "TLSv1.1", "TLSv1.2") if answers[version]]
        found: dict[str, list[str]] = {"broken": [], "static": [], "old": [], "strong": []}
        for version in dict.fromkeys(classic[:1] + classic[-1:]):
            for kind, asked in (("broken", tls.BROKEN), ("static", tls.STATIC), ("old", tls.OLD), ("strong", tls.STRONG)):
                found[kind] += self._all(version, asked)
        return {kind: list(dict.fromkeys(names)) for kind, names in found.items()}

    def _domestic(self) -> dict[str, str]:
        """Suites with SM4 and SM3 that it agrees to: TLCP (``tlcp``), TLS 1.3 (``rfc8998``). Its first certificate comes along."""
        found = {}
        for one in domestic_probe(self._endpoint.host, self._endpoint.port, timeout=min(_SECONDS, self._time_left.left())):
            if one.question != "ordinary" and one.handshake.server is not None and one.handshake.server.suites:
                suite = one.handshake.server.suites[0]
                found[one.question] = SUITES.get(suite, f"{suite:#06x}")
                self._shown = self._shown or (one.handshake.server_certificates or [b""])[0]
        return found

    def _all(self, version: str, asked: Mapping[int, str]) -> list[str]:
        left, found = dict(asked), []
        while left:
            taken = self._ask(version, tuple(left))
            if taken is None or taken.suite not in left:
                break
            found.append(left.pop(taken.suite))
        return found

    def _ask(self, version: str, suites: Iterable[int]) -> Answer | None:
        """None: refused (an alert, or it hung up). Raises NotTls, and _Silent where nobody knows."""
        octets = b""
        try:
            connected = self._connected()
        except OSError as error:
            raise _Silent(f"the server took no more connections: {error}") from error
        try:
            with connected as connection:
                connection.sendall(tls.client_hello(version, tuple(suites), self._server_name))
                while len(octets) < _MOST:
                    connection.settimeout(min(_SECONDS, self._time_left.left()))
                    more = connection.recv(16_384)
                    octets += more
                    said = tls.answer(octets)
                    if isinstance(said, Answer):
                        return said if said.version == tls.VERSIONS[version] else None
                    if said is None or not more:
                        return None
        except TimeoutError as error:
            if version == "SSLv3":
                return None  # some servers leave a hello alone that they do not know
            raise _Silent(f"the server said nothing to a hello of {version}") from error
        except OSError:
            return None
        return None

    def _certificate(self, answers: dict[str, Answer | None]) -> Part:
        how = "openssl s_client -connect … | openssl x509 -text"
        chain = next((one.certificates for one in answers.values() if one and one.certificates), ())
        der = (chain[0] if chain else self._by_library()) or self._shown
        if not der:
            return Part("", "the server shows no certificate", how)
        try:
            return _json(certificate(der), how)
        except ValueError as error:
            return Part("", str(error), how)

    def _by_library(self) -> bytes:
        """Of a server that speaks TLS 1.3 only: there it comes sealed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            suppress(OSError, ssl.SSLError),
            self._connected() as raw,
            context.wrap_socket(raw, server_hostname=self._server_name or None) as connection,
        ):
            return connection.getpeercert(binary_form=True) or b""
        return b""

    def _trust(self) -> Part:
        how = "openssl s_client -verify_return_error -verify_hostname … -connect …"
        try:
            file = str(self._endpoint.ca_file) if self._endpoint.ca_file else None
            context = ssl.create_default_context(cafile=file, cadata=self._endpoint.ca or None)
        except (OSError, ssl.SSLError) as error:
            return Part("", f"the trusted certificates cannot be read: {error}", how)
        if self._endpoint.ca_file or self._endpoint.ca:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a certificate that is named is trusted, whoever issued it
        context.check_hostname = False  # names are another probe's
        try:
            with self._connected() as raw, context.wrap_socket(raw, server_hostname=self._server_name or None):
                return _json({"is_trusted": True, "why": ""}, how)
        except ssl.SSLCertVerificationError as error:
            return _json({"is_trusted": False, "why": error.verify_message}, how)
        except (OSError, ssl.SSLError) as error:
            return Part("", f"no handshake with this machine's library: {error}", how)

    def _connected(self) -> socket.socket:
        return socket.create_connection((self._endpoint.host, self._endpoint.port), min(_SECONDS, self._time_left.left()))


def _json(value: object, how: str) -> Part:
    return Part(msgspec.json.encode(value).decode(), how=how)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
