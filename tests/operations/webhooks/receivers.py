"""Receivers of every kind on loopback, and the code with which such a receiver verifies what came: written from the providers'
descriptions, sharing nothing with the sender (HMAC is spelled out after RFC 2104, SM3 is gmssl's)."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gmssl import func, sm3

Hash = Callable[[bytes], bytes]


def sha256(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def sm3_reference(text: bytes) -> bytes:
    return bytes.fromhex(sm3.sm3_hash(func.bytes_to_list(text)))


def mac(hash_: Hash, key: bytes, message: bytes) -> bytes:
    """HMAC after RFC 2104; SHA-256 and SM3 both have blocks of 64 bytes."""
    key = (hash_(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = hash_(bytes(byte ^ 0x36 for byte in key) + message)
    return hash_(bytes(byte ^ 0x5C for byte in key) + inner)


def standard_ok(secret: str, headers: dict[str, str], body: bytes, scheme: str = "v1") -> bool:
    """What a Standard Webhooks receiver does, and the same for ``v1sm3``."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = mac({"v1": sha256, "v1sm3": sm3_reference}[scheme], base64.b64decode(secret[len("whsec_") :]), signed)
    return any(one == f"{scheme},{base64.b64encode(expected).decode()}" for one in headers["webhook-signature"].split(" "))


def dingtalk_ok(secret: str, target: str) -> bool:
    """DingTalk's check of ``timestamp`` and ``sign`` in the raw request target, decoded once."""
    query = dict(pair.split("=", 1) for pair in target.partition("?")[2].split("&"))
    stamp = query["timestamp"]
    if abs(time.time() * 1000 - int(stamp)) > 3_600_000:
        return False
    return base64.b64decode(unquote_to_bytes(query["sign"]), validate=True) == mac(
        sha256, secret.encode(), stamp.encode() + b"\n" + secret.encode()
    )


def feishu_ok(secret: str, body: bytes) -> bool:
    """Feishu's check of the fields in the body: seconds; the text is the key, and nothing is signed with it."""
    told = json.loads(body)
    if abs(time.time() - int(told["timestamp"])) > 3600:
        return False
    key = (told["timestamp"] + "\n" + secret).encode()
    return told["sign"] == base64.b64encode(mac(sha256, key, b"")).decode()


class HttpReceiver(ThreadingHTTPServer):
    """Answers as ``answers`` says, one after the other (the last one for ever); an answer is (status, headers, body) or an act."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.times: list[float] = []
        self.answers: list[Any] = [(200, {}, b"")]
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Http)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def next_answer(self) -> Any:
        with self._lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Http(BaseHTTPRequestHandler):
    server: HttpReceiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the sender was killed in the middle: a receiver takes no half messages
            return
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.server.times.append(time.monotonic())
        answer = self.server.next_answer()
        if answer == "hang":
            time.sleep(4)
        elif answer == "close":
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"errcode":0')
        elif answer == "redirect":
            self.send_response(307)
            self.send_header("Location", self.server.url("/elsewhere"))
            self.end_headers()
        else:
            status, headers, content = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Authority:
    """A certificate authority for one test run, and a server certificate for 127.0.0.1 (or another name) by it."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        now = datetime.datetime.now(datetime.UTC)
        self._key, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])

        def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(name)
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=1))
            )

        root = builder(name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.pem = root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
        try:
            names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(host))]
        except ValueError:
            names = [x509.DNSName(host)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        leaf = builder(subject, server).add_extension(x509.SubjectAlternativeName(names), False).sign(self._key, hashes.SHA256())
        path = self.path = folder / "server.pem"
        path.write_bytes(
            server.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + leaf.public_bytes(serialization.Encoding.PEM)
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path)


class _Listener:
    """Accepts connections on loopback, each in a thread."""

    def __init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port = self._sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._sock.accept()
                threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            self.talk(connection)

    def talk(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._sock.close()


class SyslogReceiver(_Listener):
    """RFC 5425: TLS, octet counting. ``behave``: ok, silent_end (no close_notify), reset, hang."""

    def __init__(self, authority: Authority) -> None:
        self.messages: list[str] = []
        self.behave = "ok"
        self._context = authority.context
        super().__init__()

    def talk(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as tls:
            if self.behave == "reset":
                tls.recv(16)
                return
            if self.behave == "hang":
                time.sleep(4)
                return
            stream = b""
            while chunk := tls.recv(65536):
                stream += chunk
            while stream:
                length, _, stream = stream.partition(b" ")
                self.messages.append(stream[: int(length)].decode())
                stream = stream[int(length) :]
            if self.behave == "ok":
                tls.unwrap()


class MailReceiver(_Listener):
    """A mail server that keeps what it was given, after RFC 5321, 3207 and 4954 (AUTH PLAIN).

    answers  a reply to give instead of the good one, by verb (``RCPT:bob@city.example`` for one recipient, ``DATA.`` for the end of
             the mail); ``hang``, ``drip`` and ``close`` are acts
    """

    def __init__(self, authority: Authority) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.verbs: list[str] = []
        self.logins: list[bytes] = []
        self.answers: dict[str, str] = {}
        self.starttls = True
        self.implicit = False
        self._context = authority.context
        super().__init__()

    def talk(self, connection: socket.socket) -> None:
        sock, secure = connection, False
        if self.implicit:
            sock, secure = self._context.wrap_socket(connection, server_side=True), True
        sock.sendall(b"220 mail.city.example ESMTP\r\n")
        lines, recipients = sock.makefile("rb"), []
        while line := lines.readline():
            text = line.decode().strip()
            verb = text.split(" ")[0].upper()
            self.verbs.append(verb if secure else verb.lower())
            place = f"RCPT:{text.partition('<')[2].rpartition('>')[0]}" if verb == "RCPT" else verb
            reply = self.answers.get(place) or self.answers.get(verb)
            if reply == "hang":
                time.sleep(4)
                return
            if reply == "drip":
                for _ in range(40):
                    sock.sendall(b"2")
                    time.sleep(0.1)
                return
            if reply == "close":
                return
            if verb == "STARTTLS" and not reply:
                sock.sendall(b"220 go ahead\r\n")
                sock, secure = self._context.wrap_socket(sock, server_side=True), True
                lines = sock.makefile("rb")
                continue
            if verb == "EHLO" and not reply:
                offers = ["mail.city.example", "SIZE 100000", *([] if secure or not self.starttls else ["STARTTLS"]), "AUTH PLAIN"]
                reply = "\r\n".join(f"250{' ' if one == offers[-1] else '-'}{one}" for one in offers)
            if verb == "AUTH" and not reply:
                self.logins.append(base64.b64decode(text.split(" ")[2]))
                reply = "235 welcome"
            if verb == "RCPT" and not reply:
                recipients.append(text.partition("<")[2].rpartition(">")[0])
            if verb == "DATA" and not reply:
                sock.sendall(b"354 go on\r\n")
                reply = self._take(lines, recipients)
                if reply == "close":
                    return
            sock.sendall((reply or "250 ok").encode() + b"\r\n")

    def _take(self, lines: Any, recipients: list[str]) -> str:
        content = b""
        while (line := lines.readline()) != b".\r\n":
            content += line[1:] if line.startswith(b".") else line
        reply = self.answers.get("DATA.", "")
        if not reply or reply == "close":
            self.mails.append(message_from_bytes(content, policy=default))  # type: ignore[arg-type]
            self.recipients.append(list(recipients))
        return reply
