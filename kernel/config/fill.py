"""Values of the file and of the environment into the typed sections."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.secret import Secret


def fill_section(config: msgspec.Struct, section: str, values: Any, mistakes: Mistakes) -> None:
    """Set one section of the file; unknown names and wrong types become mistakes."""
    known = [name for name in config.__struct_fields__ if name != "file"]
    if section not in known:
        mistakes.add(section, f"unknown section{suggest(section, known)}")
        return
    if not isinstance(values, dict):
        mistakes.add(section, f"must be a table, [{section}]")
        return
    _fill_struct(getattr(config, section), section, values, mistakes)


def _fill_struct(target: msgspec.Struct, prefix: str, values: dict[str, Any], mistakes: Mistakes) -> None:
    types = {field.name: field.type for field in msgspec.structs.fields(type(target))}
    for key, value in values.items():
        path = f"{prefix}.{key}"
        if key not in types:
            mistakes.add(path, f"unknown key{suggest(key, list(types))}")
            continue
        kind = types[key]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
            _fill_struct(getattr(target, key), path, value, mistakes)
            continue
        try:
            setattr(target, key, msgspec.convert(value, kind, dec_hook=_paths))
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `$")
            inner = re.sub(r"\[(\d+)\]", r".\1", place.rstrip("`"))
            mistakes.add(path + inner, f"{reason[0].lower()}{reason[1:]}")


def fill_from_environment(config: msgspec.Struct, environ: Mapping[str, str], mistakes: Mistakes) -> None:
    """Set what ``LIANDUN_<SECTION>_<KEY>`` says, over the file. Lists are separated by commas."""
    settings = dict(environ)
    if settings.get("LIANDUN_DATA"):
        settings["LIANDUN_PLATFORM_DATA_DIR"] = settings["LIANDUN_DATA"]
    for section in config.__struct_fields__:
        target = getattr(config, section)
        if isinstance(target, msgspec.Struct):
            _environment_struct(target, f"LIANDUN_{section.upper()}", settings, mistakes)


def _environment_struct(target: msgspec.Struct, prefix: str, settings: Mapping[str, str], mistakes: Mistakes) -> None:
    for field in msgspec.structs.fields(type(target)):
        name = f"{prefix}_{field.name.upper()}"
        current = getattr(target, field.name)
        if isinstance(current, msgspec.Struct):
            _environment_struct(current, name, settings, mistakes)
        elif name in settings:
            text = settings[name]
            value: Any = [part.strip() for part in text.split(",") if part.strip()] if isinstance(current, list) else text
            try:
                setattr(target, field.name, msgspec.convert(value, field.type, strict=False, dec_hook=_paths))
            except msgspec.ValidationError as error:
                mistakes.add_variable(name, str(error))


def _paths(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value).expanduser()
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise msgspec.ValidationError(f"expected {kind.__name__}, got {type(value).__name__}")


def suggest(word: str, known: list[str]) -> str:
    """The end of a message about an unknown word."""
    close = difflib.get_close_matches(word, known, 1)
    return f", did you mean {close[0]}?" if close else f" (known: {', '.join(known)})"
