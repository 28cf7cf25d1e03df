"""A stand-in for a Windows host: a WinRM service over real TLS, with real NTLM (the accepting side of pyspnego), for the tests.

It is written from DSP0226 and MS-WSMV alone and shares nothing with what it tests. In place of PowerShell, /bin/sh runs the script
that ``-EncodedCommand`` brings, as a real process with real output, so that what is ended can be seen to have ended.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import uuid
import xml.dom.minidom
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DOMAIN, USER, PASSWORD = "CITY", "responder", "Zheng-Que 密码 1!"
_S = "http://www.w3.org/2003/05/soap-envelope"
_A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_R = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_X = "http://schemas.xmlsoap.org/ws/2004/09/transfer"


class Authority:
    """An authority that vouches for hosts; ``file``: its certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.file = folder / "authority.pem"
        made = self._certificate(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def certificate(self, name: str, *addresses: str) -> Path:
        """Certificate and key of a host, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
        made = self._certificate(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, x509.SubjectAlternativeName(names)
        )
        file = self.folder / f"{name}-{uuid.uuid4().hex[:8]}.pem"
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + made.public_bytes(serialization.Encoding.PEM)
        )
        return file

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self._key, hashes.SHA256())
        )


class Shell:
    """An open shell and the process in it."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4()).upper()
        self.process: subprocess.Popen[bytes] | None = None
        self.command_id = ""
        self.signalled = False

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class WindowsHost:
    """The service. ``offers``: Negotiate and Basic. ``break_at``: an action before whose answer the connection is lost."""

    def __init__(self, certificate: Path, *, offers: tuple[str, ...] = ("Negotiate", "Basic"), hold: float = 1.0) -> None:
        self.offers, self.hold, self.break_at, self.answer_with = offers, hold, "", b""
        self.shells: dict[str, Shell] = {}
        self.opened: list[Shell] = []
        self.actions: list[str] = []
        self.logins: list[str] = []
        self.arguments: list[list[str]] = []
        self.close_after_each = False
        self.binding = b"tls-server-end-point:" + _certificate_hash(certificate)
        host = self

        class Handler(_Handler):
            service = host

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Connections are broken on purpose."""

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        for shell in self.opened:
            shell.end()

    # what the actions do, each giving the body of its answer

    def create(self, root: xml.dom.minidom.Element) -> str:
        assert _text(root, _R, "OutputStreams") == "stdout stderr"
        assert ("WINRS_CODEPAGE", "65001") in _options(root)
        shell = Shell()
        self.shells[shell.id] = shell
        self.opened.append(shell)
        return (
            f'<x:ResourceCreated xmlns:x="{_X}"><a:Address xmlns:a="{_A}">https://h/wsman</a:Address>'
            f'<a:ReferenceParameters xmlns:a="{_A}"><w:ResourceURI xmlns:w="{_W}">{_R}/cmd</w:ResourceURI>'
            f'<w:SelectorSet xmlns:w="{_W}">'
            f'<w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>'
        )

    def command(self, root: xml.dom.minidom.Element, shell: Shell) -> str:
        assert _text(root, _R, "Command") == "powershell.exe"
        arguments = [_inner(one) for one in root.getElementsByTagNameNS(_R, "Arguments")]
        self.arguments.append(arguments)
        assert len("powershell.exe " + " ".join(arguments)) <= 8_150
        assert arguments[-2] == "-EncodedCommand"
        assert "-NonInteractive" in arguments
        script = base64.b64decode(arguments[-1]).decode("utf-16-le")
        shell.command_id = str(uuid.uuid4()).upper()
        shell.process = subprocess.Popen(
            ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True
        )
        for pipe in (shell.process.stdout, shell.process.stderr):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        return f'<rsp:CommandResponse xmlns:rsp="{_R}"><rsp:CommandId>{shell.command_id}</rsp:CommandId></rsp:CommandResponse>'

    def receive(self, root: xml.dom.minidom.Element, shell: Shell) -> str:
        wanted = root.getElementsByTagNameNS(_R, "DesiredStream")[0]
        assert wanted.getAttribute("CommandId") == shell.command_id
        process, end = shell.process, time.monotonic() + self.hold
        assert process is not None
        while True:
            done = process.poll() is not None
            said = [(name, pipe.read(4_000) or b"") for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr))]  # type: ignore[union-attr]
            if any(octets for _, octets in said) or done:
                break
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(0.02)
        streams = "".join(
            f'<rsp:Stream Name="{name}" CommandId="{shell.command_id}">{base64.b64encode(octets).decode()}</rsp:Stream>'
            for name, octets in said if octets
        )  # fmt: skip
        word, inner = ("Done", f"<rsp:ExitCode>{process.returncode}</rsp:ExitCode>") if done and not streams else ("Running", "")
        told = f'CommandId="{shell.command_id}" State="{_R}/CommandState/{word}"'
        state = f"<rsp:CommandState {told}>{inner}</rsp:CommandState>"
        return f'<rsp:ReceiveResponse xmlns:rsp="{_R}">{streams}{state}</rsp:ReceiveResponse>'

    def signal(self, root: xml.dom.minidom.Element, shell: Shell) -> str:
        assert root.getElementsByTagNameNS(_R, "Signal")[0].getAttribute("CommandId") == shell.command_id
        assert _text(root, _R, "Code") == f"{_R}/signal/terminate"
        shell.signalled = True
        shell.end()
        return f'<rsp:SignalResponse xmlns:rsp="{_R}"/>'

    def delete(self, root: xml.dom.minidom.Element, shell: Shell) -> str:
        shell.end()
        del self.shells[shell.id]
        return ""


class _Handler(BaseHTTPRequestHandler):
    """One connection: NTLM logs it in as a whole."""

    service: WindowsHost
    protocol_version = "HTTP/1.1"
    timeout = 30

    def setup(self) -> None:
        super().setup()
        self._context: Any = None
        self._in = False

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._logged_in():
            return
        assert self.path == "/wsman"
        assert self.headers["Content-Type"].startswith("application/soap+xml")
        status, answer = self._answer(body)
        if self.service.break_at and self.service.actions[-1].endswith(self.service.break_at):
            self.service.break_at = ""
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self._say(status, answer)

    def _logged_in(self) -> bool:
        scheme, _, text = (self.headers["Authorization"] or "").partition(" ")
        if self._in:
            return True
        if scheme == "Basic" and "Basic" in self.service.offers:
            user, _, password = base64.b64decode(text).decode().partition(":")
            self._refuse("") if (user, password) != (USER, PASSWORD) else self.service.logins.append(f"Basic {user}")
            return (user, password) == (USER, PASSWORD)
        if scheme == "Negotiate" and "Negotiate" in self.service.offers:
            return self._negotiated(base64.b64decode(text))
        self._refuse("")
        return False

    def _negotiated(self, token: bytes) -> bool:
        bindings = spnego.channel_bindings.GssChannelBindings(application_data=self.service.binding)
        if self._context is None:
            self._context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm, channel_bindings=bindings)
        try:
            answer = self._context.step(token)
        except spnego.exceptions.SpnegoError:
            self._context = None
            self._refuse("")
            return False
        if not self._context.complete:
            self._refuse(base64.b64encode(answer).decode())
            return False
        self._in = True
        self.service.logins.append(f"NTLM {self._context.client_principal}")
        return True

    def _refuse(self, token: str) -> None:
        self.send_response(401)
        for offer in self.service.offers:
            self.send_header(
                "WWW-Authenticate",
                f"{offer} {token}" if token and offer == "Negotiate" else offer + (' realm="WSMAN"' if offer == "Basic" else ""),
            )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, body: bytes) -> tuple[int, bytes]:
        root = xml.dom.minidom.parseString(body).documentElement
        assert (root.namespaceURI, root.localName) == (_S, "Envelope")
        action = _text(root, _A, "Action")
        assert _text(root, _A, "MessageID").startswith("uuid:")
        assert _text(root, _W, "ResourceURI") == f"{_R}/cmd"
        assert _text(root, _W, "OperationTimeout").startswith("PT")
        self.service.actions.append(action)
        name = action.rpartition("/")[2]
        if self.service.answer_with:
            return 200, self.service.answer_with
        try:
            if name == "Create":
                made = self.service.create(root)
            else:
                selectors = root.getElementsByTagNameNS(_W, "Selector")
                shell = self.service.shells.get(_inner(selectors[0]))
                if shell is None:
                    return 500, _fault("w:InvalidSelectors", "2150858843", "The shell was not found on the server.")
                made = getattr(self.service, name.lower())(root, shell)
        except TimeoutError:
            return 500, _fault("w:TimedOut", "2150858793", "The WS-Management service cannot complete the operation in time.")
        return 200, f'<s:Envelope xmlns:s="{_S}"><s:Header/><s:Body>{made}</s:Body></s:Envelope>'.encode()

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        if self.service.close_after_each:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)


def _fault(subcode: str, code: str, message: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{_S}" xmlns:w="{_W}"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode>'
        f'<s:Value>{subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{message}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}" Machine="h">'
        f"<f:Message>{message}</f:Message></f:WSManFault></s:Detail></s:Fault></s:Body></s:Envelope>"
    ).encode()


def _text(root: xml.dom.minidom.Element, namespace: str, name: str) -> str:
    (found,) = root.getElementsByTagNameNS(namespace, name)
    return _inner(found)


def _inner(element: Any) -> str:
    return "".join(node.data for node in element.childNodes if node.nodeType == node.TEXT_NODE)


def _options(root: xml.dom.minidom.Element) -> list[tuple[str, str]]:
    return [(one.getAttribute("Name"), _inner(one)) for one in root.getElementsByTagNameNS(_W, "Option")]


def _certificate_hash(file: Path) -> bytes:
    """What clients have to bind their login to (RFC 5929): the certificates here are signed with SHA-256."""
    pem = file.read_text().partition("-----BEGIN CERTIFICATE-----")
    return hashlib.sha256(base64.b64decode(pem[2].partition("-----END")[0])).digest()


class Between:
    """Somebody between: shows a certificate of its own for the same name, and hands everything on in plain."""

    def __init__(self, certificate: Path, port: int) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        outward = ssl.create_default_context()
        outward.check_hostname, outward.verify_mode = False, ssl.CERT_NONE
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            near = self._tls.wrap_socket(plain, server_side=True)
            far = outward.wrap_socket(socket.create_connection(("127.0.0.1", self._to)))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._hand_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _hand_on(one: ssl.SSLSocket, other: ssl.SSLSocket) -> None:
        try:
            while octets := one.recv(65_536):
                other.sendall(octets)
        except OSError:
            pass
        other.close()


def user_file(folder: Path) -> Path:
    """Who may log in, as the accepting side of NTLM reads it."""
    file = folder / "users"
    file.write_text(f"{DOMAIN}:{USER}:{PASSWORD}\n", "utf-8")
    return file
