"""What was read of an object: texts by name, and why one is not there. It can be kept and judged again later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

_T = TypeVar("_T")
TAKEN = "taken"
"""Name of the part that says when what was read was written (UTC), where that is not now: a file that was handed in."""


class Part(msgspec.Struct, frozen=True):
    """One thing that was asked. ``problem``: why it was not, or not wholly, read; "" where it was. ``how``: the command."""

    text: str
    problem: str = ""
    how: str = ""


IN_CHINESE = {
    "the host does not have it": "主机没有该项",
    "it took too long": "读取超时",
    "the host did not say it": "主机没有回答",
    "the server shows no certificate": "服务器未出示证书",
}
"""Of the problems that parts have; what programs complain of stays as they say it."""


class Unreadable(Exception):
    """What a verdict needs could not be read: then there is none. ``zh``: the same in Chinese, "" where it is no sentence."""

    def __init__(self, why: str, zh: str = "") -> None:
        super().__init__(why)
        self.zh = zh or why


class Facts:
    """The parts of one object, for one probe: it remembers which ones were looked at, for the evidence."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts
        self.seen: list[str] = []

    def text(self, name: str) -> str:
        """A part, wholly read. Raises Unreadable."""
        if name not in self.seen:
            self.seen.append(name)
        part = self._parts.get(name)
        if part is None:
            raise Unreadable(f"{name} was not read", f"{name} 未读取")
        if part.problem:
            raise Unreadable(f"{name}: {part.problem}", f"{name}：{IN_CHINESE.get(part.problem, part.problem)}")
        return part.text

    def is_read(self, name: str) -> bool:
        """Whether a part is there wholly: for what has another way."""
        part = self._parts.get(name)
        if name not in self.seen:
            self.seen.append(name)
        return part is not None and not part.problem

    def lines(self, name: str) -> list[str]:
        """Lines of a part that are not empty. Raises Unreadable."""
        return [line for line in self.text(name).splitlines() if line.strip()]

    def listed(self, name: str) -> list[str]:
        """Lines of a part that cannot be empty on a host that says all. Raises Unreadable where it is."""
        found = self.lines(name)
        if not found:
            raise Unreadable(f"{name} is empty", f"{name} 为空")
        return found

    def counted(self, name: str) -> list[str]:
        """Lines of a list that may be empty, since it says itself that it is whole: its last line is ``== done`` and their number.

        Raises Unreadable where it does not.
        """
        lines = self.text(name).removesuffix("\n").split("\n")
        if lines[-1] != f"== done {len(lines) - 1}":
            raise Unreadable(f"{name} does not come to its end", f"{name} 不完整")
        return lines[:-1]

    def files(self, name: str) -> dict[str, str]:
        """A part that shows files, by path; a file of which the part says that it is not there is not among them.

        Raises Unreadable where one of them is there and was not wholly read, and where the part speaks of no file at all.
        """
        found: dict[str, list[str]] = {}
        lines: list[str] = []
        are_told = False
        for line in self.text(name).split("\n"):
            if line.startswith("== "):
                lines = found.setdefault(line[3:], [])
            elif line.startswith("| ") and found:
                lines.append(line[2:].removesuffix("\r"))
            elif line.startswith("!! "):
                raise Unreadable(f"the login may not read {line[3:]}", f"登录账户无权读取 {line[3:]}")
            elif line.startswith("~~ "):
                raise Unreadable(f"{line[3:]} is cut off: it is longer than is read", f"{line[3:]} 过长，未读完")
            elif line.strip() and not line.startswith("-- "):
                raise Unreadable(f"{name} is not in the form of the script", f"{name} 不是脚本输出的格式")
            are_told = are_told or line.startswith(("== ", "-- "))
        if not are_told:
            raise Unreadable(f"{name} is empty", f"{name} 为空")
        return {path: "\n".join(content) + "\n" for path, content in found.items()}

    def are_gone(self, name: str, *paths: str) -> bool:
        """Whether a part of files or permissions says of each of these paths that it is not there. Raises Unreadable."""
        return {f"-- {path}" for path in paths} <= set(self.text(name).split("\n"))

    def rows(self, name: str, kind: type[_T]) -> _T:
        """A part that is JSON. Raises Unreadable."""
        try:
            return msgspec.json.decode(self.text(name), type=kind)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Unreadable(f"{name}: {error}") from error

    def evidence(self) -> Iterator[tuple[str, Part]]:
        """The parts that were looked at, in that order."""
        for name in self.seen:
            if name in self._parts:
                yield name, self._parts[name]
