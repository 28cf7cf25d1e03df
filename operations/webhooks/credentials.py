"""What a target keeps sealed: the signing secret that we made, or what was given: password or secret, a URL with a token."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from crypto.secret import MasterKey
from operations.errors import Invalid
from operations.webhooks.channels.contract import Channel
from operations.webhooks.models import WebhookTarget

MAX_SECRET = 512
_HOST_HOLDS_NONE = ("https", "http", "tls", "smtp", "smtps", "kafka", "kafkas")


class Given(msgspec.Struct, frozen=True):
    """Credentials that a person entered."""

    url: str = ""
    secret: str = ""


def secret_context(target_id: int) -> str:
    """What the sealed secret is bound to: it does not open in another row."""
    return f"webhook:{target_id}"


def seal(key: MasterKey, target_id: int, channel: Channel, url: str, secret: str) -> str:
    """The value of ``sealed_secret``."""
    given = Given(url if channel.hidden else "", secret)
    content = secret.encode() if channel.credential == "made" else msgspec.json.encode(given)
    return key.seal(content, context=secret_context(target_id))


def opened(key: MasterKey, channel: Channel, target: WebhookTarget) -> Given:
    """Full URL and secret. Raises crypto.errors.SecretError where the master key is another."""
    content = key.unseal(target.sealed_secret, context=secret_context(target.id))
    if channel.credential == "made":
        return Given(target.url, content.decode())
    given = msgspec.json.decode(content, type=Given)
    return Given(given.url or target.url, given.secret)


def shown_url(channel: Channel, url: str) -> str:
    """The URL as the table holds it and people see it."""
    return without_path(url) if channel.hidden else url


def without_path(url: str) -> str:
    """Where a URL leads. Path and query are left out: chat services put the access token there, and the trail holds no secret. Of
    schemes that put it where the host stands (apprise) nothing but the scheme is told."""
    scheme = url.partition("://")[0]
    if scheme not in _HOST_HOLDS_NONE:
        return f"{scheme}://…"
    return f"{scheme}://{urlsplit(url).netloc}/…"


def check_secret(channel: Channel, secret: str) -> None:
    """Refuse a secret that this kind does not take. Raises Invalid."""
    if not secret:
        return
    if channel.credential != "given":
        raise Invalid(f"a target of the kind {channel.kind} is given no secret", field="secret")
    if len(secret) > MAX_SECRET or any(ord(sign) < 32 or ord(sign) == 127 for sign in secret):
        raise Invalid(f"a secret is one line of at most {MAX_SECRET} characters", field="secret")
