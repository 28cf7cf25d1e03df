"""Reading a capture file: one bounded, unprivileged Suricata run.

The capture goes through a named pipe, so Suricata may run as ``nobody`` in a folder of its own whoever owns the capture,
and a gzip-compressed capture needs no copy on disk. Rules are copied beside it for the same reason.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from collectors.filestore import prune_store, stored_files, stored_record
from collectors.suricata.binary import find_suricata
from collectors.suricata.config import SensorSettings, render_config
from collectors.suricata.log import DEAD, problems
from collectors.suricata.networks import Networks
from collectors.suricata.workdir import copy_rules, give_away
from kernel.errors import LiandunError, ParseError
from kernel.record import RawRecord

_CHUNK = 1 << 18
_SUBJECT = ("event_type", "proto", "src_ip", "src_port", "dest_ip", "dest_port")
_MAGIC = {
    b"\xd4\xc3\xb2\xa1",  # pcap, little endian, microseconds
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",  # pcap, nanoseconds
    b"\xa1\xb2\x3c\x4d",
    b"\x34\xcd\xb2\xa1",  # modified pcap (Kuznetzov)
    b"\x0a\x0d\x0d\x0a",  # pcapng section header
}


class PcapLimits(msgspec.Struct, frozen=True):
    """Bounds of one run.

    seconds       wall-clock limit; what was found until then is kept
    capture       bytes of capture (after decompression) that are read
    output        size of one file Suricata may write, bytes
    files         bytes of carried files that are kept; the first ones go when there are more
    """

    seconds: float = 900.0
    capture: int = 64 << 30
    output: int = 8 << 30
    files: int = 4 << 30


def pcap_records(
    path: Path,
    report: Callable[[str], None],
    *,
    rules: Sequence[Path] = (),
    workdir: Path | None = None,
    networks: Networks | None = None,
    limits: PcapLimits | None = None,
) -> Iterator[RawRecord]:
    """Events of a capture as ``eve`` records, then the files it carried as ``file-stored`` records.

    path      .pcap or .pcapng, plain or gzip
    report    takes one line per problem (refused rules, damaged capture, time limit); the rest goes on
    rules     .rules files; none = metadata only
    networks  what is ours, by zone, for rules that name it
    workdir   where carried files are left (``workdir/filestore``, which must not exist yet); the caller removes it when the
              records are dealt with. None = no files are kept. Suricata itself works in a private temporary folder.

    Stream is ``pcap:<sha256 of the capture>``, offset the number of the record. Raises SuricataMissing, ParseError (not a capture).
    """
    limits = limits or PcapLimits()
    program = find_suricata()
    _check_magic(path)
    with tempfile.TemporaryDirectory(prefix="liandun-pcap-") as private:
        folder = Path(private)
        digest = _run(program, path, report, rules, folder, networks or Networks(), workdir is not None, limits)
        if workdir is not None and (folder / "filestore").is_dir():
            _hand_over(folder / "filestore", workdir / "filestore")
        yield from _records(folder / "eve.json", workdir, f"pcap:{digest}", str(path))


def _hand_over(store: Path, target: Path) -> None:
    """Move the carried files to the caller's folder, owned by the caller and not executable."""
    shutil.move(store, target)
    for entry in (target, *target.rglob("*")):
        if os.geteuid() == 0:
            os.chown(entry, 0, 0, follow_symlinks=False)
        if not entry.is_symlink():
            entry.chmod(0o700 if entry.is_dir() else 0o600)


def _records(eve: Path, workdir: Path | None, stream: str, origin: str) -> Iterator[RawRecord]:
    received = time.time_ns() // 1000
    number = 0
    for line in _in_fixed_order(eve):
        yield RawRecord("suricata", "eve", received, origin, line, stream, number)
        number += 1
    if workdir is not None:
        for stored in stored_files(workdir / "filestore"):
            yield stored_record(stored, "suricata", received, origin, stream, number)
            number += 1


def _in_fixed_order(eve: Path) -> Iterator[bytes]:
    """Lines of eve.json in an order that is the same in every run over the same capture, as offsets must be.

    What a packet caused (it carries ``pcap_cnt``) comes in the order of packets. What a timer or the end of the run caused comes
    in the order of a hash table with a random seed and at times that depend on this machine: these lines follow, sorted by what
    they are about.
    """
    if not eve.is_file() or eve.is_symlink():
        return
    others: list[tuple[tuple[str, ...], int]] = []
    with eve.open("rb") as lines:
        position = 0
        for line in lines:
            start, position = position, position + len(line)
            line = line.rstrip(b"\r\n")
            if b'"pcap_cnt":' in line:
                yield line
            elif line:
                others.append((_subject(line), start))
        others.sort()
        for _, start in others:
            lines.seek(start)
            yield lines.readline().rstrip(b"\r\n")


def _subject(line: bytes) -> tuple[str, ...]:
    """Sort key without anything that differs from run to run (flow_id, time of logging)."""
    try:
        event = msgspec.json.decode(line)
        flow = event.get("flow") or {}
        about = (
            flow.get("start"),
            *(event.get(key) for key in ("event_type", "proto", "src_ip", "src_port", "dest_ip", "dest_port")),
        )
    except (msgspec.DecodeError, AttributeError):
        return ("", line.decode("latin-1"))  # cut off by the time limit; its parser will refuse it
    rest = {key: value for key, value in event.items() if key not in ("flow_id", "timestamp", "flow", "tcp")}
    return (*(str(one or "") for one in about), hashlib.blake2b(msgspec.json.encode(rest), digest_size=12).hexdigest())


def _run(
    program: str,
    path: Path,
    report: Callable[[str], None],
    rules: Sequence[Path],
    workdir: Path,
    networks: Networks,
    keep_files: bool,
    limits: PcapLimits,
) -> str:
    """Run Suricata to its end; returns the SHA-256 of the capture file."""
    names = copy_rules(rules, workdir, report)
    settings = SensorSettings(
        log_dir=workdir,
        rule_files=tuple(Path(copy) for copy in names),
        content=workdir,
        networks=networks,
        store_files=keep_files,
    )
    (workdir / "suricata.yaml").write_text(render_config(settings), encoding="utf-8")
    pipe = workdir / "capture.pipe"
    os.mkfifo(pipe, 0o600)
    owner = give_away(workdir)
    command = [*_limiter(limits), program, "-c", str(workdir / "suricata.yaml"), "-l", str(workdir)]
    command += ["--runmode", "single", "-k", "none", "-r", str(pipe)]
    console = workdir / "console.log"
    with console.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=workdir,
            env={"PATH": os.defpath, "TZ": "UTC", "HOME": str(workdir)},
            start_new_session=True,
            **owner,
        )
    feeder = _Feeder(path, pipe, limits.capture)
    feeder.start()
    try:
        over, removed = _wait(process, console, workdir / "filestore", limits)
        if removed:
            report(f"{path}: {removed} of the carried files were not kept (limit of {limits.files >> 20} MiB)")
        if over:
            report(f"{path}: Suricata stopped after the limit of {limits.seconds:g} s; events until then are kept")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        feeder.finish()
        pipe.unlink(missing_ok=True)
    names[str(pipe)] = str(path)
    for line in problems(console.read_text(encoding="utf-8", errors="replace"), names):
        report(line if line.startswith(tuple(names.values())) else f"{path}: {line}")
    for line in feeder.problems:
        report(f"{path}: {line}")
    if process.returncode not in (0, -9):
        report(f"{path}: Suricata ended with status {process.returncode}; events until then are kept")
    return feeder.digest


def _wait(process: subprocess.Popen[bytes], console: Path, store: Path, limits: PcapLimits) -> tuple[bool, int]:
    """Wait for the end, or until nothing more can come: (the time is over, carried files removed because there were too many)."""
    deadline, removed = time.monotonic() + limits.seconds, 0
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(left, 0.5))
        removed += prune_store(store, limits.files)
        if process.returncode is not None or _dead(console):
            return False, removed
    return True, removed


def _dead(console: Path) -> bool:
    with console.open("rb") as said:
        return DEAD in said.read(1 << 20)


def _limiter(limits: PcapLimits) -> list[str]:
    """Command prefix (util-linux; preexec_fn is not safe in a process with threads): kernel limits, and an end with ours.

    A Suricata whose feeder was killed before it opened the pipe would wait for it for ever.
    """
    prefix: list[str] = []
    if program := shutil.which("prlimit"):
        prefix += [program, "--core=0", f"--fsize={limits.output}", "--"]
    if program := shutil.which("setpriv"):
        prefix += [program, "--pdeathsig", "KILL", "--"]
    return prefix


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                head = file.read(4)
    except (OSError, EOFError) as error:
        raise ParseError(f"{path}: cannot be read: {error}") from error
    if head not in _MAGIC:
        raise ParseError(f"{path}: not a pcap or pcapng capture (first bytes {head.hex() or 'none'})")


class _Feeder(threading.Thread):
    """Writes the capture into the pipe and hashes the file as it lies on disk."""

    def __init__(self, path: Path, pipe: Path, limit: int) -> None:
        super().__init__(name="pcap-feeder", daemon=True)
        self.problems: list[str] = []
        self.digest = ""
        self._path = path
        self._pipe = pipe
        self._limit = limit
        self._halt = threading.Event()

    def run(self) -> None:
        try:
            target = self._open_pipe()
            if target is not None:
                with os.fdopen(target, "wb", buffering=0) as pipe:
                    self._feed(pipe.write)
        except BrokenPipeError:
            return  # Suricata ended first; its own message says why
        except (OSError, EOFError) as error:
            self.problems.append(f"capture cannot be read to its end: {error}")

    def _open_pipe(self) -> int | None:
        """Open for writing without hanging when Suricata never opens its end."""
        while not self._halt.is_set():
            try:
                descriptor = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                self._halt.wait(0.02)
                continue
            os.set_blocking(descriptor, True)
            return descriptor
        return None

    def _feed(self, write: Callable[[bytes], int | None]) -> None:
        with self._path.open("rb") as plain:
            compressed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(self._path, "rb") if compressed else self._path.open("rb") as source:
            left = self._limit
            while left > 0 and (chunk := source.read(min(_CHUNK, left))):
                left -= len(chunk)
                while chunk:
                    chunk = chunk[write(chunk) or 0 :]
        if left <= 0:
            self.problems.append(f"only the first {self._limit} bytes of the capture were read (limit)")

    def finish(self) -> None:
        """Stop, wait, and set ``digest``."""
        self._halt.set()
        self.join(30)
        try:
            with self._path.open("rb") as file:
                self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise LiandunError(f"{self._path}: cannot be read: {error.strerror}") from error
