"""The schemes of apprise that a target may have, and what a URL of them may carry.

Listed are those that speak HTTPS to a fixed public service, and those that speak HTTP to a host of the URL, which the guard checks.
What runs programs, touches this machine's desktop, files or devices (dbus, gnome, windows, macosx, syslog …) or speaks something
else than HTTP (mailto, mqtt, xmpp, irc, rsyslog …) is not; neither is what has a kind of its own here (dingtalk, feishu, wecombot).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import parse_qsl, urlsplit

from operations.errors import Invalid
from operations.webhooks.guard import MAX_URL, WebhookPolicy, permitted

FIXED = frozenset(
    {
        "discord", "gchat", "ifttt", "line", "opsgenie", "pagerduty", "pbul", "pover", "prowl", "pushplus", "schan", "signl4",
        "slack", "splunk", "tgram", "twilio", "webex", "workflows", "wxpusher", "wxteams", "zulip",
    }
)  # fmt: skip
"""HTTPS to the service's own host, or to one of its hosts that the URL names."""
HOSTED = frozenset(
    {"apprise", "bark", "form", "gotify", "json", "matrix", "mmost", "nctalk", "ntfy", "pushdeer", "rocket", "synology", "xml"}
)
"""HTTP to the host of the URL, with an ``s`` behind it HTTPS."""
REFUSED_OPTIONS = frozenset({"verify", "redirect", "template", "attach", "attach-as", "overflow", "format", "image"})
"""They would switch off the check of certificates, follow redirects, read files or change the text."""


def check_apprise_url(url: str, policy: WebhookPolicy) -> str:
    """The scheme of a URL that may be sent to. Raises Invalid, which never repeats the URL: it holds secrets."""
    if len(url) > MAX_URL or " " in url or not url.isprintable():
        raise _wrong(f"the URL has at most {MAX_URL} characters, and no blanks")
    scheme = url.partition("://")[0].lower()
    if scheme not in FIXED and scheme.removesuffix("s") not in HOSTED and scheme not in HOSTED:
        raise _wrong("apprise URLs of this scheme are not sent to", f"one of {', '.join(sorted(FIXED | HOSTED))}")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        options = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True, max_num_fields=50)}
    except ValueError as error:
        raise _wrong("the URL cannot be read") from error
    refused = sorted(options & REFUSED_OPTIONS)
    if refused:
        raise _wrong(f"the URL must not have the option {refused[0]}")
    if scheme not in FIXED:
        _check_host(host, "http" if scheme in HOSTED else "https", policy)
    return scheme


def _check_host(host: str, scheme: str, policy: WebhookPolicy) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return  # a name (of ntfy:// and pushdeer:// perhaps a topic or key): the connection is checked
    if not permitted(address, scheme, policy.networks()):
        raise _wrong("the address is not public, or is asked for without TLS", "allow its network in the configuration")


def _wrong(why: str, hint: str = "") -> Invalid:
    return Invalid(why, hint, field="url")
