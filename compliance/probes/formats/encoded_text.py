"""Text files as programs of Windows write them: UTF-16 with a mark, UTF-8, or the code page of a Chinese Windows (GB 18030)."""

from __future__ import annotations

import codecs


def decoded(octets: bytes) -> str:
    """The text, with line ends as \\n. What fits none of them is read as GB 18030 with signs of replacement."""
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = octets.decode("utf-16", "replace")
    elif octets[1:2] == b"\0" and octets[3:4] == b"\0":  # no mark, yet letters of ASCII in UTF-16LE
        text = octets.decode("utf-16-le", "replace")
    else:
        try:
            text = octets.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = octets.decode("gb18030", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
