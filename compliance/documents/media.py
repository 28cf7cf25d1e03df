"""What kind of file something is, by its first bytes and never by its name.

PDF, OFD (GB/T 33190), Office Open XML and OpenDocument without macros, PNG, JPEG, and plain text in UTF-8. Older Office files are
refused: whether they carry macros cannot be told from outside.
"""

from __future__ import annotations

import io
import zipfile

from operations.errors import Invalid

MOST_BYTES = 20 * 1024 * 1024
MEDIA: dict[str, str] = {
    "pdf": "application/pdf", "ofd": "application/ofd",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "png": "image/png", "jpeg": "image/jpeg", "txt": "text/plain; charset=utf-8",
}  # fmt: skip
_HINT = "PDF, OFD, DOCX, XLSX, PPTX, ODT, ODS, PNG, JPEG or UTF-8 text"
_FIRST = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"))
_INSIDE = (("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx"), ("ppt/presentation.xml", "pptx"))
_MOST_DIRECTORY, _MOST_ENTRIES, _EOCD = 1 << 20, 10_000, 22


def media_of(content: bytes) -> str:
    """A key of MEDIA. Raises Invalid: too large, empty, or nothing of these."""
    if not 0 < len(content) <= MOST_BYTES:
        raise Invalid(f"a document has 1 to {MOST_BYTES} bytes", field="file")
    for first, media in _FIRST:
        if content.startswith(first):
            return media
    if content.startswith(b"PK\x03\x04"):
        return _of_archive(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise Invalid("files of older Office programs are not taken", "save it as DOCX, XLSX or PDF", field="file")
    if _is_text(content):
        return "txt"
    raise Invalid("this kind of file is not taken", _HINT, field="file")


def _of_archive(content: bytes) -> str:
    names = _names(content)
    if any(name.lower().endswith("vbaproject.bin") or name.startswith("Basic/") for name in names):
        raise Invalid("the file carries macros", "save it without them", field="file")
    if "OFD.xml" in names:
        return "ofd"
    if "[Content_Types].xml" in names:
        for inside, media in _INSIDE:
            if inside in names:
                return media
    said = content[30:120]  # OpenDocument: the first entry, "mimetype", is stored as it is
    for media in ("ods", "odt"):
        if said.startswith(b"mimetype" + MEDIA[media].encode()):
            return media
    raise Invalid("this kind of file is not taken", _HINT, field="file")


def _names(content: bytes) -> frozenset[str]:
    """Names in an archive whose directory is small; nothing is unpacked."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - _EOCD - 65_535))
    tail = content[at : at + _EOCD] if at >= 0 else b""
    if len(tail) < _EOCD or content[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise Invalid("the file is damaged", _HINT, field="file")
    entries, directory = int.from_bytes(tail[10:12], "little"), int.from_bytes(tail[12:16], "little")
    if entries > _MOST_ENTRIES or directory > _MOST_DIRECTORY:
        raise Invalid("the file has too many parts", _HINT, field="file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Invalid("the file is damaged", _HINT, field="file") from error


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in text)
