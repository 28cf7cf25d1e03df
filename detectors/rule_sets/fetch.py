"""Fetching a rule set by URL without becoming somebody's errand boy (server-side request forgery).

Every host is resolved once, each of its addresses must be public (unless private ones are allowed), and the connection goes to
exactly the address that was checked, so a name that changes between check and use gains nothing. Redirects are followed by hand,
each checked. One deadline stands around everything, so a server that drips its headers gains nothing either.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from pathlib import Path
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import httpx

from kernel.errors import RuleError
from kernel.public_addresses import is_public

MAX_BYTES = 256 << 20
MAX_SECONDS = 300.0
MAX_REDIRECTS = 5
_STEP = httpx.Timeout(20.0)
_NAME_LETTERS = 60  # of 4 bytes at most: a file name may have 255


def fetch(url: str, folder: Path, *, allow_private: bool = False) -> Path:
    """Download ``url`` (https, or http where private addresses are allowed) into ``folder``; ``file:`` URLs are used in place.

    Returns the path of the file. Raises RuleError for refused addresses, wrong answers, and beyond the limits of size and time.
    """
    parts = _split(url)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise RuleError(f"{url}: a file: URL must name a file of this machine")
        return Path(unquote(parts.path))
    try:
        return asyncio.run(_download(url, folder, allow_private))
    except TimeoutError as error:
        raise RuleError(f"{url}: not complete after {MAX_SECONDS:.0f} s (limit)") from error


def public_addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Addresses of ``host``, IPv4 and IPv6; RuleError if there is none or if any of them is private, local or reserved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RuleError(f"{host}: name cannot be resolved: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for text in addresses:
        if not allow_private and not is_public(ipaddress.ip_address(text)):
            raise RuleError(
                f"{host}: {text} is a private, local or reserved address; refused", "--allow-private if that is what you want"
            )
    return addresses


async def _download(url: str, folder: Path, allow_private: bool) -> Path:
    async with asyncio.timeout(MAX_SECONDS):
        for _ in range(MAX_REDIRECTS + 1):
            answer = await _get(url, folder, allow_private)
            if isinstance(answer, Path):
                return answer
            url = _joined(url, answer)
    raise RuleError(f"{url}: more than {MAX_REDIRECTS} redirects (limit)")


async def _get(url: str, folder: Path, allow_private: bool) -> Path | str:
    """The downloaded file, or the target of a redirect."""
    asked, port = _checked(url, allow_private)
    # the name as ASCII (IDNA): so it stands in the request and in the certificate
    host, netloc = asked.raw_host.decode("ascii"), asked.netloc.decode("ascii")
    address = (await asyncio.to_thread(public_addresses, host, port, allow_private=allow_private))[0]
    target = asked.copy_with(host=f"[{address}]" if ":" in address else address)
    headers = {"Host": netloc, "User-Agent": "liandun-rules", "Accept-Encoding": "identity"}
    try:
        async with (
            httpx.AsyncClient(timeout=_STEP, trust_env=False, verify=ssl.create_default_context()) as client,
            client.stream("GET", target, headers=headers, extensions={"sni_hostname": host}) as response,
        ):
            if response.is_redirect and "location" in response.headers:
                return str(response.headers["location"])
            if response.status_code != 200:
                raise RuleError(f"{url}: the server answered {response.status_code} {response.reason_phrase}")
            return await _store(response, url, folder)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        if isinstance(error, TimeoutError):
            raise  # the deadline of the whole
        raise RuleError(f"{url}: cannot be fetched: {type(error).__name__} {error}".rstrip()) from error


def _checked(url: str, allow_private: bool) -> tuple[httpx.URL, int]:
    """The URL and its port. Raises RuleError for what is not fetched."""
    parts = _split(url)
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise RuleError(f"{url}: only {' and '.join(schemes)} addresses are fetched")
    if parts.username or parts.password:
        raise RuleError(f"{parts.hostname}: credentials in a URL are refused")
    try:
        return httpx.URL(url), parts.port or (443 if parts.scheme == "https" else 80)
    except (httpx.InvalidURL, ValueError) as error:
        raise RuleError(f"{url}: {error}") from error


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise RuleError(f"{url}: not an address: {error}") from error


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise RuleError(f"{url}: redirects to {location!r}, which is not an address: {error}") from error


async def _store(response: httpx.Response, url: str, folder: Path) -> Path:
    path = folder / _file_name(url)
    size = 0
    with path.open("wb") as file:
        async for piece in response.aiter_raw(1 << 16):
            size += len(piece)
            if size > MAX_BYTES:
                raise RuleError(f"{url}: larger than {MAX_BYTES >> 20} MiB (limit)")
            file.write(piece)
    return path


def _file_name(url: str) -> str:
    """The last part of the URL as a harmless file name that keeps its ending; ``rules.tar.gz`` where nothing is left of it."""
    last = unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    return re.sub(r"[^\w.+-]+", "-", last)[-_NAME_LETTERS:].lstrip(".-") or "rules.tar.gz"
