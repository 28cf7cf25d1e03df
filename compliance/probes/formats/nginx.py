"""Configuration of nginx: directives with their blocks, includes put in from the files that were read."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import msgspec

from compliance.probes.facts import Facts, Unreadable

_WORD = re.compile(r"\s+|#[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[{};]|(?:\$\{[^}]*\}|\\.|[^\s{};\"'])+")
_MAIN = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf", "/usr/local/openresty/nginx/conf/nginx.conf")
_END, _OPEN, _CLOSE = "\0;", "\0{", "\0}"
"""Signs, told apart from the same letters in quotation marks."""
_MOST, _DEEPEST = 50_000, 12


class Directive(msgspec.Struct):
    """``words``: name and arguments. ``parent``: the block that it stands in, None at the top."""

    words: list[str]
    parent: Directive | None
    body: list[Directive] | None = None

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def arguments(self) -> list[str]:
        return self.words[1:]

    def shown(self) -> str:
        """For people."""
        return " ".join(self.words)[:200]


class Config(msgspec.Struct, frozen=True):
    """A whole configuration."""

    top: list[Directive]

    def everything(self) -> Iterator[Directive]:
        """All directives, outer ones first."""
        left = list(self.top)
        while left:
            one = left.pop(0)
            yield one
            left = (one.body or []) + left

    def named(self, *names: str) -> list[Directive]:
        """All directives of a name."""
        return [one for one in self.everything() if one.name in names]

    def in_force(self, block: Directive, name: str) -> list[Directive]:
        """A directive as it holds in a block: its own, else that of the nearest block around."""
        at: Directive | None = block
        while at is not None:
            own = [one for one in at.body or [] if one.name == name]
            if own:
                return own
            at = at.parent
        return [one for one in self.top if one.name == name]


def asked(facts: Facts) -> Config | None:
    """The configuration of a host's nginx; None where there is none: neither files nor a program nor a process.

    Raises Unreadable where it has one whose files are elsewhere.
    """
    found = config(facts.files("nginx"))
    if found is None:
        programs = facts.counted("nginx-programs")
        if "nginx" in facts.listed("processes"):
            raise Unreadable("nginx runs, but its configuration was not found", "nginx 在运行，但未找到其配置")
        if programs:
            raise Unreadable(f"{programs[0]} is there, but its configuration was not found", f"有 {programs[0]}，但未找到其配置")
    return found


def config(files: Mapping[str, str]) -> Config | None:
    """None where there is none in the usual places. Raises Unreadable where its files are none."""
    main = next((path for path in _MAIN if path in files), None)
    if main is None:
        return None
    left = [_MOST]
    found = _directives(files, main, None, 0, left)
    if not any(one.name in ("http", "events", "stream") for one in found):
        raise Unreadable(f"{main} is no configuration of nginx", f"{main} 不是 nginx 配置")
    return Config(found)


def _directives(files: Mapping[str, str], path: str, parent: Directive | None, depth: int, left: list[int]) -> list[Directive]:
    """Raises Unreadable: cut off, too deep, too long."""
    if depth > _DEEPEST:
        raise Unreadable(f"{path}: includes are too deep", f"{path}：包含层次过深")
    found: list[Directive] = []
    blocks: list[Directive] = []
    words: list[str] = []
    for word in _words(files[path], path):
        inside = blocks[-1] if blocks else parent
        home = blocks[-1].body if blocks and blocks[-1].body is not None else found
        if word == _END and words:
            left[0] -= 1
            if words[0] == "include" and len(words) == 2:
                for name in _included(files, path, words[1]):
                    home += _directives(files, name, inside, depth + 1, left)
            else:
                home.append(Directive(words, inside))
            words = []
        elif word == _OPEN and words:
            block = Directive(words, inside, [])
            home.append(block)
            blocks.append(block)
            words = []
        elif word == _CLOSE:
            if not blocks or words:
                raise Unreadable(f"{path}: a brace too many", f"{path}：多余的大括号")
            blocks.pop()
        elif word not in (_END, _OPEN):
            words.append(word)
        if left[0] < 0 or len(blocks) > _DEEPEST:
            raise Unreadable(f"{path}: too long or too deep", f"{path}：过长或层次过深")
    if blocks or words:
        raise Unreadable(f"{path} is cut off", f"{path} 不完整")
    return found


def _words(text: str, path: str) -> Iterator[str]:
    at = 0
    for match in _WORD.finditer(text):
        if match.start() != at:
            raise Unreadable(f"{path}: a quotation mark is not closed", f"{path}：引号未闭合")
        at = match.end()
        word = match[0]
        if word.isspace() or word.startswith("#"):
            continue
        if word in ";{}":
            yield f"\0{word}"
        else:
            yield word[1:-1] if word[0] in "\"'" and len(word) > 1 else word
    if at != len(text):
        raise Unreadable(f"{path}: a quotation mark is not closed", f"{path}：引号未闭合")


def _included(files: Mapping[str, str], path: str, pattern: str) -> list[str]:
    """Raises Unreadable where a file that is named was not read (types of media aside)."""
    main = next(one for one in _MAIN if one in files)
    whole = pattern if pattern.startswith("/") else str(PurePosixPath(main).parent / pattern)
    if any(sign in whole for sign in "*?["):
        return sorted(name for name in files if fnmatch.fnmatchcase(name, whole) and name != path)
    if whole in files:
        return [whole]
    if PurePosixPath(whole).name in ("mime.types", "fastcgi_params", "fastcgi.conf", "proxy_params", "uwsgi_params", "scgi_params"):
        return []
    raise Unreadable(f"{whole}, which {path} includes, was not read", f"未读取 {path} 包含的 {whole}")
