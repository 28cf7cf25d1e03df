"""TLCP (GB/T 38636-2020) with double certificates, by the BabaSSL library in the tongsuopy wheel. Optional: x86_64 Linux only.

Its base is OpenSSL 1.1.1, which is not maintained any more: use TLCP where a peer speaks nothing else, behind a firewall.
``LIANDUN_TONGSUO`` names another shared object with the NTLS calls (a Tongsuo of one's own, 8.3 or later).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import os
import select
import socket
import time
from ctypes import c_char_p, c_int, c_long, c_uint64, c_ulong, c_void_p
from pathlib import Path

from crypto.channel.errors import ChannelClosedError, ChannelError, ChannelTimeoutError, HandshakeError
from crypto.channel.identity import PeerIdentity, read_identity
from crypto.channel.link import HANDSHAKE_SECONDS, IDLE_SECONDS, Credentials, LinkFacts, Revoked, linger
from crypto.errors import BackendMissingError

SUITES = ("ECDHE-SM2-SM4-GCM-SM3", "ECC-SM2-SM4-GCM-SM3", "ECDHE-SM2-SM4-CBC-SM3", "ECC-SM2-SM4-CBC-SM3")
_PEM = 1
_VERIFY = 0x01 | 0x02  # SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
_CRL_CHECK = 0x4
_REVOKED = 23
_WANT_READ, _WANT_WRITE, _SYSCALL, _ZERO_RETURN = 2, 3, 5, 6
_PIECE = 16 * 1024

# name: (result, arguments)
_FUNCTIONS: dict[str, tuple[type | None, tuple[object, ...]]] = {
    "OpenSSL_version": (c_char_p, (c_int,)),
    "OPENSSL_init_ssl": (c_int, (c_uint64, c_void_p)),
    "ERR_clear_error": (None, ()),
    "ERR_get_error": (c_ulong, ()),
    "ERR_reason_error_string": (c_char_p, (c_ulong,)),
    "NTLS_server_method": (c_void_p, ()),
    "NTLS_client_method": (c_void_p, ()),
    "SSL_CTX_new": (c_void_p, (c_void_p,)),
    "SSL_CTX_free": (None, (c_void_p,)),
    "SSL_CTX_enable_ntls": (None, (c_void_p,)),
    "SSL_CTX_set_cipher_list": (c_int, (c_void_p, c_char_p)),
    "SSL_CTX_use_sign_certificate_file": (c_int, (c_void_p, c_char_p, c_int)),
    "SSL_CTX_use_sign_PrivateKey_file": (c_int, (c_void_p, c_char_p, c_int)),
    "SSL_CTX_use_enc_certificate_file": (c_int, (c_void_p, c_char_p, c_int)),
    "SSL_CTX_use_enc_PrivateKey_file": (c_int, (c_void_p, c_char_p, c_int)),
    "SSL_CTX_load_verify_locations": (c_int, (c_void_p, c_char_p, c_char_p)),
    "SSL_CTX_set_verify": (None, (c_void_p, c_int, c_void_p)),
    "SSL_CTX_get_cert_store": (c_void_p, (c_void_p,)),
    "SSL_CTX_ctrl": (c_long, (c_void_p, c_int, c_long, c_void_p)),
    "X509_STORE_set_flags": (c_int, (c_void_p, c_ulong)),
    "X509_STORE_add_lookup": (c_void_p, (c_void_p, c_void_p)),
    "X509_LOOKUP_file": (c_void_p, ()),
    "X509_load_crl_file": (c_int, (c_void_p, c_char_p, c_int)),
    "X509_free": (None, (c_void_p,)),
    "X509_verify_cert_error_string": (c_char_p, (c_long,)),
    "i2d_X509": (c_int, (c_void_p, c_void_p)),
    "SSL_new": (c_void_p, (c_void_p,)),
    "SSL_free": (None, (c_void_p,)),
    "SSL_set_fd": (c_int, (c_void_p, c_int)),
    "SSL_accept": (c_int, (c_void_p,)),
    "SSL_connect": (c_int, (c_void_p,)),
    "SSL_read": (c_int, (c_void_p, c_char_p, c_int)),
    "SSL_write": (c_int, (c_void_p, c_char_p, c_int)),
    "SSL_shutdown": (c_int, (c_void_p,)),
    "SSL_get_error": (c_int, (c_void_p, c_int)),
    "SSL_get_verify_result": (c_long, (c_void_p,)),
    "SSL_get_peer_certificate": (c_void_p, (c_void_p,)),
    "SSL_get_version": (c_char_p, (c_void_p,)),
    "SSL_get_current_cipher": (c_void_p, (c_void_p,)),
    "SSL_CIPHER_get_name": (c_char_p, (c_void_p,)),
}
_SSL_CTRL_SET_SESS_CACHE_MODE = 44


@functools.cache
def library() -> ctypes.CDLL:
    """The shared object with its calls typed. Raises BackendMissingError where this machine has none."""
    reasons = []
    for path in _candidates():
        try:
            lib = ctypes.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(lib, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            reasons.append(f"{path}: {error}")
            continue
        lib.OPENSSL_init_ssl(0, None)
        return lib
    raise BackendMissingError("; ".join(reasons) or "TLCP needs the wheel tongsuopy (pip install tongsuopy, x86_64 only)")


def library_version() -> str:
    """What the library calls itself. Raises BackendMissingError."""
    return str(library().OpenSSL_version(0).decode())


def _candidates() -> list[str]:
    if named := os.environ.get("LIANDUN_TONGSUO", ""):
        return [named]
    spec = importlib.util.find_spec("tongsuopy")
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return [str(path) for folder in folders for path in sorted((Path(folder) / "backends").glob("_tongsuo*.so"))]


class TlcpContext:
    """Certificates and rules of one end; immutable. Always mutual, always double certificates.

    suites   in order of preference, names as BabaSSL writes them
    revoked  asked for every peer besides the revocation lists
    """

    def __init__(
        self, credentials: Credentials, *, server: bool, suites: tuple[str, ...] = SUITES, revoked: Revoked | None = None
    ) -> None:
        self.server = server
        self._revoked = revoked
        self._lib = lib = library()
        lib.ERR_clear_error()
        self._context = lib.SSL_CTX_new(lib.NTLS_server_method() if server else lib.NTLS_client_method())
        if not self._context:
            raise ChannelError(f"TLCP cannot be used: {_told(lib)}")
        lib.SSL_CTX_enable_ntls(self._context)
        lib.SSL_CTX_ctrl(self._context, _SSL_CTRL_SET_SESS_CACHE_MODE, 0, None)
        if credentials.enc_certificate is None or credentials.enc_key is None:
            raise ChannelError("TLCP needs two certificates: one to sign, one for key exchange (enc_certificate, enc_key)")
        self._fill(credentials, credentials.enc_certificate, credentials.enc_key, suites)

    def _fill(self, credentials: Credentials, enc_certificate: Path, enc_key: Path, suites: tuple[str, ...]) -> None:
        lib, context = self._lib, self._context
        files = (
            (lib.SSL_CTX_use_sign_certificate_file, credentials.certificate),
            (lib.SSL_CTX_use_sign_PrivateKey_file, credentials.key),
            (lib.SSL_CTX_use_enc_certificate_file, enc_certificate),
            (lib.SSL_CTX_use_enc_PrivateKey_file, enc_key),
        )
        for use, path in files:
            if use(context, os.fsencode(path), _PEM) != 1:
                raise ChannelError(f"{path} cannot be used for TLCP: {_told(lib)}")
        if lib.SSL_CTX_load_verify_locations(context, os.fsencode(credentials.ca), None) != 1:
            raise ChannelError(f"{credentials.ca} cannot be used: {_told(lib)}")
        if lib.SSL_CTX_set_cipher_list(context, ":".join(suites).encode()) != 1:
            raise ChannelError(f"this library knows none of {', '.join(suites)}: {_told(lib)}")
        lib.SSL_CTX_set_verify(context, _VERIFY, None)
        if credentials.crl is not None:
            store = lib.SSL_CTX_get_cert_store(context)
            lookup = lib.X509_STORE_add_lookup(store, lib.X509_LOOKUP_file())
            if lib.X509_load_crl_file(lookup, os.fsencode(credentials.crl), _PEM) < 1:
                raise ChannelError(f"{credentials.crl} cannot be used: {_told(lib)}")
            lib.X509_STORE_set_flags(store, _CRL_CHECK)

    def __del__(self) -> None:
        if getattr(self, "_context", None):
            self._lib.SSL_CTX_free(self._context)  # open links hold a reference of their own

    def open(self, connected: socket.socket, *, name: str = "", timeout: float = HANDSHAKE_SECONDS) -> TlcpLink:
        """As :meth:`crypto.channel.tls13.Tls13Context.open`."""
        connected.setblocking(False)
        link = TlcpLink(self._lib, self._lib.SSL_new(self._context), connected)
        try:
            link.shake(self.server, time.monotonic() + timeout)
            peer = link.facts.peer
            if peer.key != "SM2":
                raise HandshakeError("key", f"the certificate of {peer.name} holds a key of kind {peer.key}, not SM2")
            if name and not self.server and not peer.answers_to(name):
                raise HandshakeError("name", f"the certificate of {peer.name} was not issued for {name}")
            if self._revoked is not None and self._revoked(peer):
                raise HandshakeError("revoked", f"the certificate {peer.serial} of {peer.name} is revoked")
        except HandshakeError:
            link.drop()
            raise
        return link


class TlcpLink:
    """An open link; see :class:`crypto.channel.link.Link`."""

    facts: LinkFacts

    def __init__(self, lib: ctypes.CDLL, ssl: int, connected: socket.socket) -> None:
        self._lib = lib
        self._ssl: int | None = ssl
        self._socket = connected
        lib.SSL_set_fd(ssl, connected.fileno())

    def shake(self, server: bool, deadline: float) -> None:
        """Shake hands and note what was agreed. Raises HandshakeError."""
        lib = self._lib
        step = lib.SSL_accept if server else lib.SSL_connect
        while True:
            lib.ERR_clear_error()
            result = step(self._ssl)
            if result == 1:
                break
            why = lib.SSL_get_error(self._ssl, result)
            if why not in (_WANT_READ, _WANT_WRITE):
                raise self._refused(why)
            try:
                _wait(self._socket, why, deadline)
            except ChannelTimeoutError:
                raise HandshakeError("timeout", "the other side did not finish its handshake in time") from None
        peer = self._peer()
        suite = lib.SSL_CIPHER_get_name(lib.SSL_get_current_cipher(self._ssl)).decode()
        version = lib.SSL_get_version(self._ssl).decode()
        if version != "NTLSv1.1" or "SM4" not in suite:
            raise HandshakeError("protocol", f"{version} {suite} was agreed where TLCP is wanted")
        self.facts = LinkFacts("TLCP", suite.replace("-SM2", "", 1).replace("-", "_"), "SM2", peer)

    def _refused(self, why: int) -> HandshakeError:
        verdict = self._lib.SSL_get_verify_result(self._ssl)
        text = _told(self._lib)
        if verdict:
            told = self._lib.X509_verify_cert_error_string(verdict).decode()
            reason = "revoked" if verdict == _REVOKED else "certificate"
            return HandshakeError(reason, f"the other side's certificate is refused: {told}")
        if why in (_SYSCALL, _ZERO_RETURN) and not text:
            return HandshakeError("closed", "the other side went away during the handshake")
        reason = "suite" if "no shared cipher" in text else "certificate" if "certificate" in text else "protocol"
        return HandshakeError(reason, f"no link: {text}")

    def _peer(self) -> PeerIdentity:
        lib = self._lib
        certificate = lib.SSL_get_peer_certificate(self._ssl)
        if not certificate:
            raise HandshakeError("certificate", "the other side has no certificate")
        try:
            length = lib.i2d_X509(certificate, None)
            buffer = ctypes.create_string_buffer(max(length, 1))
            place = ctypes.cast(buffer, c_void_p)
            lib.i2d_X509(certificate, ctypes.byref(place))
            return read_identity(buffer.raw[:length])
        except ValueError as error:
            raise HandshakeError("certificate", f"the other side's certificate cannot be read: {error}") from error
        finally:
            lib.X509_free(certificate)

    def receive(self, size: int, timeout: float = IDLE_SECONDS) -> bytes:
        deadline = time.monotonic() + timeout
        buffer = ctypes.create_string_buffer(size)
        while True:
            self._lib.ERR_clear_error()
            count = self._lib.SSL_read(self._ssl, buffer, size)
            if count > 0:
                return buffer.raw[:count]
            self._stalled(count, deadline)

    def send(self, data: bytes, timeout: float = IDLE_SECONDS) -> None:
        deadline = time.monotonic() + timeout
        view = memoryview(data)
        while view:
            piece = ctypes.create_string_buffer(bytes(view[:_PIECE]), min(len(view), _PIECE))
            while True:  # after a want-write the library must be given the same buffer again
                self._lib.ERR_clear_error()
                count = self._lib.SSL_write(self._ssl, piece, len(piece))
                if count > 0:
                    break
                self._stalled(count, deadline)
            view = view[count:]

    def _stalled(self, count: int, deadline: float) -> None:
        """Wait for the socket, or say why there is no more to wait for."""
        why = self._lib.SSL_get_error(self._ssl, count) if self._ssl else _SYSCALL
        if why in (_WANT_READ, _WANT_WRITE):
            _wait(self._socket, why, deadline)
            return
        if why == _ZERO_RETURN:
            raise ChannelClosedError("the other side closed the link", clean=True)
        raise ChannelClosedError(f"the link broke: {_told(self._lib) or 'the other side went away'}")

    def close(self) -> None:
        if self._ssl:
            self._lib.ERR_clear_error()
            self._lib.SSL_shutdown(self._ssl)
            with contextlib.suppress(OSError):
                linger(self._socket)
        self.drop()

    def drop(self) -> None:
        """Close without a good-bye."""
        ssl, self._ssl = self._ssl, None
        if ssl:
            self._lib.SSL_free(ssl)
        self._socket.close()


def connect(host: str, port: int, context: TlcpContext, *, name: str | None = None, timeout: float = HANDSHAKE_SECONDS) -> TlcpLink:
    """As :func:`crypto.channel.tls13.connect`."""
    connected = socket.create_connection((host, port), timeout)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.open(connected, name=host if name is None else name, timeout=timeout)


def _wait(connected: socket.socket, why: int, deadline: float) -> None:
    poller = select.poll()
    poller.register(connected, select.POLLIN if why == _WANT_READ else select.POLLOUT)
    left = deadline - time.monotonic()
    if left <= 0 or not poller.poll(left * 1000):
        raise ChannelTimeoutError("the other side did not move in time")


def _told(lib: ctypes.CDLL) -> str:
    """The library's reasons, oldest first; empties its queue."""
    reasons = []
    while code := lib.ERR_get_error():
        reason = lib.ERR_reason_error_string(code)
        reasons.append(reason.decode("ascii", "replace") if reason else f"error {code:#x}")
    return "; ".join(reasons)
