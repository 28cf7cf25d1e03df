"""A connection to the WinRM service of a Windows host: HTTP within TLS, logged in by NTLM or by Basic.

NTLM logs a connection in, not a request: token and challenge go to and fro on one connection, which then carries all that follows.
The login is bound to this very TLS channel (RFC 5929, tls-server-end-point), so whoever sits between cannot pass it on. A
connection goes only to an address in a network that the configuration lists, and only to who shows a certificate for the name.
"""

from __future__ import annotations

import base64
import logging
import socket
import ssl
from contextlib import suppress

import h11
import msgspec
import spnego
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from playbooks.actions.contract import ActionError, Context
from playbooks.actions.destination import Endpoint, Reach
from playbooks.actions.http_answer import Answer, Exchanges
from playbooks.actions.wsman import CONTENT_TYPE

_SLICE = 0.25
"""Seconds after which a waiting exchange looks whether it was called off."""
_SCHEME = "Negotiate"
"""How the service announces NTLM (MS-WSMV 2.2.9.1 over RFC 4559)."""
logging.getLogger("spnego").setLevel(logging.WARNING)  # its debugging lines hold tokens that a password can be guessed from


class WindowsLogin(msgspec.Struct, frozen=True):
    """Who logs in. ``basic``: name and password go as they are, within TLS; else NTLM proves that the password is known."""

    user: str
    password: str
    basic: bool = False


class WinrmLine:
    """One connection, opened and logged in when it is first needed, and anew where the host has closed it."""

    def __init__(self, endpoint: Endpoint, login: WindowsLogin, reach: Reach, tls: ssl.SSLContext) -> None:
        self._endpoint, self._login, self._reach, self._tls = endpoint, login, reach, tls
        self._socket: ssl.SSLSocket | None = None
        self._exchanges = Exchanges()

    def ask(self, message: bytes, context: Context) -> Answer:
        """Send a message and wait for its answer, whatever its status but 401.

        Raises ActionError: NOT_ALLOWED, UNREACHABLE (nothing was sent, another attempt may succeed), LOGIN_REFUSED, WINRM_FAILED
        (nobody knows whether it was done), ACTION_TIMEOUT, ACTION_CANCELLED.
        """
        if self._socket is not None:
            answer = self._exchange(message, self._basic(), context)
        elif self._login.basic:
            self._connect(context)
            answer = self._exchange(message, self._basic(), context)
        else:
            answer = self._logged_in(message, context)
        if answer.status == 401:
            self.close()
            raise ActionError(f"{self._endpoint.netloc} does not let {self._login.user} log in", code="LOGIN_REFUSED")
        return answer

    def close(self) -> None:
        """Close the connection; the next message opens another."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket = None

    def _basic(self) -> list[tuple[str, str]]:
        if not self._login.basic:
            return []
        pair = base64.b64encode(f"{self._login.user}:{self._login.password}".encode()).decode()
        return [("Authorization", f"Basic {pair}")]

    def _logged_in(self, message: bytes, context: Context) -> Answer:
        """Log a new connection in by NTLM (MS-NLMP); the message goes with the last part of the login."""
        connection = self._connect(context)
        try:
            client = spnego.client(
                self._login.user, self._login.password, hostname=self._endpoint.host, service="http", protocol="ntlm",
                options=spnego.NegotiateOptions.use_ntlm, channel_bindings=channel_bindings(connection.getpeercert(True) or b""),
            )  # fmt: skip
            challenge = self._exchange(b"", [_authorization(client.step())], context)
            token = _challenge(challenge)
            if challenge.status != 401 or token is None:
                hint = "the service has to offer Negotiate; for Basic give the target a login of the type http-basic"
                raise ActionError(f"{self._endpoint.netloc} offers no login by NTLM", hint, code="LOGIN_REFUSED")
            if self._socket is None:
                raise ActionError(f"{self._endpoint.netloc} closed the connection during the login", code="UNREACHABLE", again=True)
            proof = client.step(token)
        except (SpnegoError, ValueError) as error:
            self.close()
            raise ActionError(
                f"{self._endpoint.netloc} answers the login as it should not: {error}", code="LOGIN_REFUSED"
            ) from error
        except ActionError:
            self.close()
            raise
        return self._exchange(message, [_authorization(proof)], context)

    def _connect(self, context: Context) -> ssl.SSLSocket:
        problem: Exception | None = None
        for address in self._reach.listed(self._endpoint):
            try:
                plain = socket.create_connection((address, self._endpoint.port), context.left())
                try:
                    connection = self._tls.wrap_socket(plain, server_hostname=self._endpoint.host)
                except BaseException:
                    plain.close()
                    raise
            except (OSError, ValueError) as error:
                problem = error
                continue
            self._socket, self._exchanges = connection, Exchanges()
            return connection
        context.left()  # says so where the time is over
        raise ActionError(f"{self._endpoint.netloc} cannot be connected to: {problem}", code="UNREACHABLE", again=True)

    def _exchange(self, message: bytes, more: list[tuple[str, str]], context: Context) -> Answer:
        connection, answer = self._socket, None
        assert connection is not None
        headers = [
            ("Host", self._endpoint.netloc), ("User-Agent", "Liandun-Playbook/1"), ("Content-Type", CONTENT_TYPE),
            ("Content-Length", str(len(message))), *more,
        ]  # fmt: skip
        try:
            connection.settimeout(context.left())
            connection.sendall(self._exchanges.request("POST", self._endpoint.path or "/wsman", headers, message))
            while answer is None:
                answer = self._exchanges.take(self._received(connection, context))
        except (OSError, h11.ProtocolError) as error:
            self.close()
            context.left()
            told = str(error) or type(error).__name__
            raise ActionError(f"{self._endpoint.netloc} did not answer as it should: {told}", code="WINRM_FAILED") from error
        except ActionError:
            self.close()
            raise
        if not self._exchanges.ready_again():
            self.close()
        return answer

    @staticmethod
    def _received(connection: ssl.SSLSocket, context: Context) -> bytes:
        while True:
            connection.settimeout(min(context.left(), _SLICE))
            try:
                return connection.recv(65_536)
            except TimeoutError:
                continue


def channel_bindings(certificate: bytes) -> GssChannelBindings:
    """What the login is bound to (RFC 5929, 4.1): the hash of the certificate (DER) that the host has shown."""
    try:
        kind = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        kind = None
    weak = kind is None or isinstance(kind, (hashes.MD5, hashes.SHA1))
    digest = hashes.Hash(hashes.SHA256() if weak or kind is None else kind)
    digest.update(certificate)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())


def _authorization(token: bytes | None) -> tuple[str, str]:
    return "Authorization", f"{_SCHEME} {base64.b64encode(token or b'').decode()}"


def _challenge(answer: Answer) -> bytes | None:
    """The token of the host, None where it gives none. Raises ValueError for one that is no base64."""
    for offer in answer.headers.get("www-authenticate", "").split(","):
        scheme, _, text = offer.strip().partition(" ")
        if scheme.lower() == _SCHEME.lower() and text.strip():
            return base64.b64decode(text.strip(), validate=True)
    return None
