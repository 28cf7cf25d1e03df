"""Static files: addressed by content (so browsers keep them for a year), compressed once, served only from our own origin."""

from __future__ import annotations

import gzip
import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, url_for

from crypto.sm3 import sm3

ROOT = Path(__file__).parent / "static"
COMPRESSED = frozenset({".js", ".css", ".svg"})
YEAR_SECONDS = 31_536_000

assets = Blueprint("assets", __name__)
_urls: dict[tuple[str, str], str] = {}
"""Where the console is mounted and name of the file → URL."""


@cache
def _names() -> frozenset[str]:
    return frozenset(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.suffix in COMPRESSED | {".png", ".ico"})


@cache
def _load(name: str) -> tuple[bytes, bytes | None, str]:
    plain = (ROOT / name).read_bytes()
    packed = gzip.compress(plain, 9, mtime=0) if Path(name).suffix in COMPRESSED else None
    return plain, packed, sm3(plain).hex()[:12]


@assets.get("/static/<digest>/<path:name>")
def file(digest: str, name: str) -> Response:
    """One file of ``static/``; an unknown name is 404, an old digest is answered but not kept by the browser."""
    if name not in _names():
        abort(404)
    plain, packed, current = _load(name)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    body = packed if packed is not None and request.accept_encodings["gzip"] > 0 else plain
    response = Response(body, content_type=f"{kind}; charset=utf-8" if packed is not None else kind)
    if body is packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable" if digest == current else "no-cache"
    return response


@assets.get("/favicon.ico")
def favicon() -> Response:
    """Browsers ask for it unasked; the page names the SVG one."""
    return Response(status=204, headers={"Cache-Control": f"public, max-age={YEAR_SECONDS}"})


def asset(name: str) -> str:
    """URL of a static file, e.g. ``asset("css/console.css")``. A page asks for some hundred, so they are kept."""
    prefix = request.environ.get("SCRIPT_NAME", "")
    found = _urls.get((prefix, name))
    if found is None:
        found = _urls[prefix, name] = url_for("assets.file", digest=_load(name)[2], name=name)
    return found


def install(app: Flask) -> None:
    """Mounts the files and gives templates ``asset()``."""
    app.register_blueprint(assets)
    app.jinja_env.globals["asset"] = asset
