"""E-mail by SMTP (RFC 5321): STARTTLS (RFC 3207, ``smtp://``, port 587) or TLS from the first byte (RFC 8314, ``smtps://``).

No mail goes out before TLS stands and the certificate is the host's. A server that offers no STARTTLS gets none: whoever strips it
from the greeting reads nothing. Several messages due at the same time are one mail. The Message-ID comes from the message id, so a
repeated mail is known as one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import smtplib
import socket
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Literal

from operations.errors import Invalid
from operations.webhooks.channels.contract import Destination, Item, Verdict, Ways, tls_context
from operations.webhooks.channels.settings import certificates, checked, language, line, mail_address, mail_addresses
from operations.webhooks.channels.streams import Cutter, check_server, place_of
from operations.webhooks.channels.text import message_text, subject, template
from operations.webhooks.guard import WebhookPolicy

PORTS = {"smtp": 587, "smtps": 465}
SPACING = 5.0


class Mail:
    """One mail to all recipients of a target."""

    kind = "mail"
    credential: Literal["given"] = "given"
    hidden, chat = False, True
    batch, spacing = 100, SPACING

    def check(self, url: str, settings: Mapping[str, Any], policy: WebhookPolicy) -> dict[str, Any]:
        check_server(url, PORTS, policy)
        known = {
            "from": (mail_address, ""), "to": (mail_addresses, []), "user": (line, ""), "language": (language, "zh"),
            "ca": (certificates, ""), "template": (template, ""),
        }  # fmt: skip
        full = checked(settings, known)
        for name in ("from", "to"):
            if not full[name]:
                raise Invalid(f"a mail target needs {name!r}", field=f"settings.{name}")
        return full

    def fit(self, items: Sequence[Item], to: Destination) -> int:
        return min(len(items), self.batch)

    async def send(self, items: Sequence[Item], to: Destination, ways: Ways) -> Verdict:
        scheme, host, port = place_of(to.url, PORTS)
        address = await ways.address(host, port, scheme)
        mail = compose(items, to)
        return await asyncio.to_thread(_deliver, mail, to, address, ways.policy)


def compose(items: Sequence[Item], to: Destination) -> EmailMessage:
    """The mail; its text is our wording, base64 in UTF-8, so no line of it can end the message."""
    mail = EmailMessage()
    mail["From"], mail["To"] = to.settings["from"], ", ".join(to.settings["to"])
    mail["Subject"] = subject(items, to)
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{_mail_id(items)}@{str(to.settings['from']).rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(message_text(items, to) + "\n", cte="base64")
    return mail


def _mail_id(items: Sequence[Item]) -> str:
    if len(items) == 1:
        return items[0].message_id
    return "digest_" + hashlib.sha256(" ".join(item.message_id for item in items).encode()).hexdigest()[:32]


class _Client(smtplib.SMTP):
    """An SMTP client that connects to the address which the guard chose, and not by name again."""

    def __init__(self, address: str, host: str, port: int, scheme: str, ca: str, cutter: Cutter, timeout: float) -> None:
        self._address, self._scheme, self._cutter, self._tls = address, scheme, cutter, tls_context(ca)
        super().__init__(host, port, local_hostname=socket.gethostname() or "localhost", timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection((self._address, port), timeout)
        self._cutter.watch(sock)
        if self._scheme == "smtps":
            sock = self._tls.wrap_socket(sock, server_hostname=host)
            self._cutter.watch(sock)
        return sock

    def secure(self) -> None:
        """STARTTLS with the certificate checked. Raises smtplib.SMTPNotSupportedError where it is not offered."""
        if self._scheme == "smtp":
            self.starttls(context=self._tls)
            assert self.sock is not None
            self._cutter.watch(self.sock)

    def sign_in(self, user: str, password: str) -> None:
        """AUTH PLAIN in UTF-8 (RFC 4616) where it is offered: smtplib knows ASCII only. Raises smtplib.SMTPException."""
        self.ehlo_or_helo_if_needed()
        if "PLAIN" not in self.esmtp_features.get("auth", "").upper().split():
            self.login(user, password)
            return
        code, said = self.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        if code not in (235, 503):
            raise smtplib.SMTPAuthenticationError(code, said)


def _deliver(mail: EmailMessage, to: Destination, address: str, policy: WebhookPolicy) -> Verdict:
    scheme, host, port = place_of(to.url, PORTS)
    with Cutter(policy.deadline) as cutter:
        try:
            client = _Client(address, host, port, scheme, str(to.settings.get("ca", "")), cutter, policy.deadline)
            try:
                client.secure()
                if to.settings.get("user"):
                    client.sign_in(str(to.settings["user"]), to.secret)
                return _hand_over(client, mail, to)
            finally:
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    client.close()  # QUIT could hang; the message was answered already
        except smtplib.SMTPResponseException as refusal:
            return _refusal(refusal.smtp_code, refusal.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            told = f"no answer within {policy.deadline:g} s" if cutter.over else f"{type(error).__name__}: {error}"
            return Verdict(None, told[:512])


def _hand_over(client: smtplib.SMTP, mail: EmailMessage, to: Destination) -> Verdict:
    """MAIL, RCPT, DATA. Some refused recipients do not keep the others from being told; they are named in the log."""
    try:
        refused = client.send_message(mail, to_addrs=list(to.settings["to"]))
    except smtplib.SMTPRecipientsRefused as nobody:
        code, said = next(iter(nobody.recipients.values()))
        return _refusal(code, said)
    told = "; ".join(f"{address} refused: {code} {_text(said)}" for address, (code, said) in refused.items())
    return Verdict(250, "", told[:2048])


def _refusal(code: int, said: bytes | str) -> Verdict:
    """5xx of the message itself is final (RFC 5321 4.2.1): too large (552), content or policy (554). What a person mends meanwhile,
    a password or a mailbox, is tried again."""
    text = _text(said)
    return Verdict(code, f"SMTP {code}: {text}"[:512], text, final=code in (552, 554))


def _text(said: bytes | str) -> str:
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).replace("\0", "")[:512]
