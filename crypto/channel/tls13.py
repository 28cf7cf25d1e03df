"""TLS 1.3 by pyOpenSSL: RFC 8998 (TLS_SM4_GCM_SM3, curveSM2, sm2sig_sm3) or, where configured, classic. Always mutual.

What was agreed is asked of the connection afterwards and must be what was wanted: protocol, suite, group, and for domestic links an
SM2 key in the peer's certificate (TLS 1.3 has no other signature than sm2sig_sm3 for such a key, RFC 8998 §3.2.1).
"""

from __future__ import annotations

import select
import socket
import time

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from OpenSSL.crypto import X509StoreFlags

from crypto.channel.errors import ChannelClosedError, ChannelError, ChannelTimeoutError, HandshakeError
from crypto.channel.identity import read_identity
from crypto.channel.link import HANDSHAKE_SECONDS, IDLE_SECONDS, Credentials, LinkFacts, Revoked, Suite, linger

DOMESTIC_SUITE = "TLS_SM4_GCM_SM3"
CLASSIC_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
_PIECE = 16 * 1024
_REVOKED = 23
_VERDICTS = {  # X509_V_ERR_… of OpenSSL's x509_vfy.h
    3: "there is no revocation list of its issuer",
    7: "its signature is wrong",
    9: "it is not valid yet",
    10: "it has expired",
    12: "the revocation list has expired",
    18: "it is self-signed",
    19: "its root is not trusted here",
    20: "its issuer is not trusted here",
    _REVOKED: "it is revoked",
}


class Tls13Context:
    """Certificates and rules of one end; immutable: make a new one when the files have changed.

    server   which end this is
    suite    ``domestic`` or ``classic``
    revoked  asked for every peer besides the revocation lists
    """

    def __init__(
        self, credentials: Credentials, *, server: bool, suite: Suite = "domestic", revoked: Revoked | None = None
    ) -> None:
        if suite == "tlcp":
            raise ChannelError("TLCP is not TLS 1.3: use crypto.channel.tlcp")
        self.server = server
        self.suite: Suite = suite
        self._revoked = revoked
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD if server else SSL.TLS_CLIENT_METHOD)
        try:
            self._fill(credentials)
        except (SSL.Error, OSError, ValueError) as error:
            raise ChannelError(
                f"the certificates of this link cannot be used ({credentials.certificate}): {_told(error)}"
            ) from error

    def _fill(self, credentials: Credentials) -> None:
        context = self._context
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        wanted = DOMESTIC_SUITE if self.suite == "domestic" else ":".join(CLASSIC_SUITES)
        context.set_tls13_ciphersuites(wanted.encode())
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # no resumption: every link proves its certificate
        context.set_options(SSL.OP_NO_TICKET)
        context.use_certificate_chain_file(str(credentials.certificate))
        context.use_privatekey_file(str(credentials.key))
        context.check_privatekey()
        context.load_verify_locations(str(credentials.ca))
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _note_verdict)
        if credentials.crl is not None:
            store = context.get_cert_store()
            assert store is not None
            for block in _pem_blocks(credentials.crl.read_bytes()):
                store.add_crl(x509.load_pem_x509_crl(block))
            store.set_flags(X509StoreFlags.CRL_CHECK)

    def open(self, connected: socket.socket, *, name: str = "", timeout: float = HANDSHAKE_SECONDS) -> Tls13Link:
        """Shake hands over a connected socket, which then belongs to the link; closed where this raises HandshakeError.

        name  client only: the server's certificate must answer to it ("" = any certificate of the CA)
        """
        connected.setblocking(False)
        connection = SSL.Connection(self._context, connected)
        verdicts: list[int] = []
        connection.set_app_data(verdicts)
        if self.server:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
            if name and not _is_address(name):
                connection.set_tlsext_host_name(name.encode("idna"))
        try:
            shake(connection, connected, time.monotonic() + timeout)
            facts = self._check(connection, name)
        except HandshakeError as error:
            connected.close()
            if error.reason == "certificate" and verdicts:
                reason = "revoked" if _REVOKED in verdicts else "certificate"
                text = "; ".join(_VERDICTS.get(verdict, f"X.509 error {verdict}") for verdict in verdicts)
                raise HandshakeError(reason, f"the other side's certificate is refused: {text}") from error
            raise
        return Tls13Link(connection, connected, facts)

    def _check(self, connection: SSL.Connection, name: str) -> LinkFacts:
        certificate = connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            raise HandshakeError("certificate", "the other side has no certificate")
        chain = connection.get_verified_chain(as_cryptography=True) or []
        peer = read_identity(der_of(certificate), [der_of(one) for one in chain[1:]])
        protocol, suite = connection.get_protocol_version_name(), connection.get_cipher_name() or ""
        group = connection.get_group_name() or ""
        if protocol != "TLSv1.3":
            raise HandshakeError("protocol", f"{protocol} was agreed where TLS 1.3 is wanted")
        if self.suite == "domestic":
            if suite != DOMESTIC_SUITE:
                raise HandshakeError("suite", f"{suite} was agreed where {DOMESTIC_SUITE} is wanted")
            if group != "curveSM2":
                raise HandshakeError("group", f"keys were exchanged on {group}, not on curveSM2; does OPENSSL_CONF name our file?")
            if peer.key != "SM2":
                raise HandshakeError("key", f"the certificate of {peer.name} holds a key of kind {peer.key}, not SM2")
        elif suite not in CLASSIC_SUITES:
            raise HandshakeError("suite", f"{suite} was agreed on a classic link")
        if name and not self.server and not peer.answers_to(name):
            raise HandshakeError("name", f"the certificate of {peer.name} was not issued for {name}")
        if self._revoked is not None and self._revoked(peer):
            raise HandshakeError("revoked", f"the certificate {peer.serial} of {peer.name} is revoked")
        return LinkFacts(protocol, suite, group, peer)


class Tls13Link:
    """An open link; see :class:`crypto.channel.link.Link`."""

    def __init__(self, connection: SSL.Connection, connected: socket.socket, facts: LinkFacts) -> None:
        self.facts = facts
        self._connection = connection
        self._socket = connected

    def receive(self, size: int, timeout: float = IDLE_SECONDS) -> bytes:
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._connection.recv(size)
            except SSL.WantReadError:
                _wait(self._socket, select.POLLIN, deadline)
            except SSL.WantWriteError:
                _wait(self._socket, select.POLLOUT, deadline)
            except SSL.ZeroReturnError:
                raise ChannelClosedError("the other side closed the link", clean=True) from None
            except (SSL.Error, OSError) as error:
                raise ChannelClosedError(f"the link broke: {_told(error)}") from error

    def send(self, data: bytes, timeout: float = IDLE_SECONDS) -> None:
        deadline = time.monotonic() + timeout
        view = memoryview(data)
        while view:
            piece = bytes(view[:_PIECE])  # after a want-write OpenSSL must be given the same bytes again
            try:
                view = view[self._connection.send(piece) :]
            except SSL.WantReadError:
                _wait(self._socket, select.POLLIN, deadline)
            except SSL.WantWriteError:
                _wait(self._socket, select.POLLOUT, deadline)
            except (SSL.Error, OSError) as error:
                raise ChannelClosedError(f"the link broke: {_told(error)}") from error

    def close(self) -> None:
        try:
            self._connection.shutdown()
            linger(self._socket)
        except (SSL.Error, OSError):
            pass
        finally:
            self._socket.close()


def connect(
    host: str, port: int, context: Tls13Context, *, name: str | None = None, timeout: float = HANDSHAKE_SECONDS
) -> Tls13Link:
    """Open a link to a server. ``name``: what its certificate must answer to (default: ``host``).

    Raises HandshakeError, or OSError where nobody listens.
    """
    connected = socket.create_connection((host, port), timeout)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.open(connected, name=host if name is None else name, timeout=timeout)


def _note_verdict(connection: SSL.Connection, _certificate: object, verdict: int, _depth: int, good: int) -> bool:
    """Called by OpenSSL for each certificate of the chain: keep why one is refused."""
    if not good:
        connection.get_app_data().append(verdict)
    return bool(good)


def shake(connection: SSL.Connection, connected: socket.socket, deadline: float) -> None:
    """Bring the handshake over a non-blocking socket to its end before ``deadline`` (time.monotonic). Raises HandshakeError."""
    while True:
        try:
            connection.do_handshake()
            return
        except SSL.WantReadError:
            wanted = select.POLLIN
        except SSL.WantWriteError:
            wanted = select.POLLOUT
        except (SSL.Error, OSError) as error:
            raise HandshakeError(_reason(error), f"no link: {_told(error)}") from error
        try:
            _wait(connected, wanted, deadline)
        except ChannelTimeoutError:
            raise HandshakeError("timeout", "the other side did not finish its handshake in time") from None


def _wait(connected: socket.socket, wanted: int, deadline: float) -> None:
    poller = select.poll()
    poller.register(connected, wanted)
    left = deadline - time.monotonic()
    if left <= 0 or not poller.poll(left * 1000):
        raise ChannelTimeoutError("the other side did not move in time")


def _reason(error: Exception) -> str:
    text = _told(error)
    if "revoked" in text:
        return "revoked"
    if "certificate" in text or "unknown ca" in text:
        return "certificate"
    if "no shared cipher" in text or "handshake failure" in text:
        return "suite"
    if "group" in text or "key share" in text:
        return "group"
    if isinstance(error, SSL.SysCallError | OSError):
        return "closed"
    return "protocol"


def _told(error: Exception) -> str:
    """OpenSSL's words: the reasons of an SSL.Error, the text of the others."""
    if isinstance(error, SSL.Error) and error.args and isinstance(error.args[0], list):
        return "; ".join(str(entry[2]) for entry in error.args[0]) or "unknown reason"
    return str(error) or type(error).__name__


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _pem_blocks(text: bytes) -> list[bytes]:
    end = b"-----END X509 CRL-----"
    return [part + end + b"\n" for part in text.split(end)[:-1]]


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()
