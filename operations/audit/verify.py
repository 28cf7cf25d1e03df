"""Verifying the trail: that it is what the signed heads say, and which entry is the first that is not.

What is compared: each entry with its leaf, the leaves with the stored tree, the tree with every signed head (in the database, in
the head file, and in copies from other machines), the keys with their endorsements, the end with what was written down of it:

    alteration    an entry does not give its leaf; where the leaf was changed along: the tree does not give the next signed root
    deletion      a number is missing (a purge by age has an entry that says so, and leaves stay)
    truncation    the end is not the recorded one, or a head of more entries was signed
    re-ordering   the entry at a place does not give the leaf of that place
    rollback      the head file or a copy has a head that the database is too short for, or that its entries do not give

The first bad position is exact where the tree still holds the leaf; an entry whose leaf and tree were recomputed, too, lies between
the last head that fits and the first that does not, and both are named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crypto.merkle import Frontier, consistency_proof, verify_consistency
from operations.audit import tree
from operations.audit.entry import CHAIN_START, COLUMNS, chain_digest, leaf_of
from operations.audit.head_file import Lines
from operations.audit.heads import log_id, statement, stored_heads, stored_keys
from operations.audit.keys import KeyProblem, Keyring
from operations.audit.models import AuditEntry, AuditHead
from operations.audit.schema import PublicKeyRecord, SignedHead, Verification
from operations.audit.walk import Progress, Read, StoredTree, entries
from operations.errors import Invalid, NotFound

MAX_FINDINGS = 100
_TOLD_EVERY = 2_000


def verify(
    session: Session,
    *,
    head_file: Lines | None = None,
    copies: Sequence[SignedHead] = (),
    since: SignedHead | None = None,
    key: str = "",
    progress: Progress = lambda _done, _total: None,
) -> Verification:
    """Check the trail of a read session.

    head_file  what the head file holds (None: not asked, only the database is looked at)
    copies     heads that another machine has kept
    since      a signed head to begin with (see :func:`head_before`) instead of the first entry
    key        id of the trail's first key as noted elsewhere; "" = not compared
    """
    return _Check(session, head_file, copies, since, key, progress).run()


def head_before(session: Session, moment: str = "", size: int = 0) -> SignedHead:
    """The newest head signed at or before ``moment`` (``@timestamp`` text), or of at most ``size`` entries. Raises NotFound."""
    heads = stored_heads(session, log_id(stored_keys(session)))
    fitting = [head for head in heads if (head.time <= moment if moment else head.size <= size)]
    if not fitting:
        when = f"was signed at or before {moment}" if moment else f"covers at most {size} entries"
        raise NotFound(f"no head {when}", "verify without --since, or see ./liandun audit heads")
    return fitting[-1]


class _Check:
    def __init__(
        self,
        session: Session,
        head_file: Lines | None,
        copies: Sequence[SignedHead],
        since: SignedHead | None,
        key: str,
        progress: Progress,
    ) -> None:
        self._session = session
        self._file = head_file
        self._copies = copies
        self._since = since
        self._pinned = key
        self._progress = progress
        self._found: list[tuple[int, str, str]] = []  # entry, code, text
        self._heads: dict[int, SignedHead] = {}  # trusted, by size
        self._checked_heads = 0

    def run(self) -> Verification:
        try:
            self._walk()
        except DBAPIError as error:
            self._bad(1, "unreadable", f"the audit tables cannot be read: {error.orig}")
        start = self._since.size if self._since else 0
        if not self._found:
            return Verification(self._size, heads=self._checked_heads, since=start)
        found = sorted(self._found, key=lambda finding: finding[0])
        entry, code, text = found[0]
        told = tuple(dict.fromkeys(f"entry {number}: {words}" for number, _code, words in found[:MAX_FINDINGS]))
        return Verification(max(entry - 1, 0), entry, text, code, told, self._checked_heads, start)

    def _bad(self, entry: int, code: str, text: str) -> None:
        if len(self._found) < 10 * MAX_FINDINGS:
            self._found.append((max(entry, 1), code, text))

    # --- heads and keys -------------------------------------------------------------------------------------------------------

    def _collect_heads(self) -> None:
        keys = stored_keys(self._session)
        heads = stored_heads(self._session, log_id(keys))
        keyring = self._keyring(keys)
        if self._file is not None:
            self._compare_file(self._file, heads)
        for place, group in (("file", self._file.heads if self._file else []), ("database", heads), ("copy", self._copies)):
            self._trust(place, group, keyring)

    def _keyring(self, stored: list[PublicKeyRecord]) -> Keyring:
        history, outside = stored, self._file.keys if self._file else []
        for number, (ours, theirs) in enumerate(zip(stored, outside, strict=False), 1):
            if ours != theirs:
                self._bad(theirs.from_size + 1, "key", f"signing key {number} is not the one of the head file")
                history = outside
                break
        if self._file is not None and len(stored) > len(outside):
            lost = stored[len(outside)]
            self._bad(lost.from_size + 1, "file", f"the head file does not have signing key {lost.number}, which the database has")
        if len(outside) > len(stored):
            history = outside
        if self._pinned and log_id(history) != self._pinned:
            self._bad(1, "key", f"the trail begins with key {log_id(history) or '-'}, not with {self._pinned}")
        while history:
            try:
                return Keyring(history)
            except KeyProblem as error:
                self._bad(history[-1].from_size + 1, "key", error.message)
                history = history[:-1]
        return Keyring([])

    def _compare_file(self, lines: Lines, stored: list[SignedHead]) -> None:
        for number in lines.unreadable:
            before = [head.size for head in lines.heads[: max(number - 1 - len(lines.keys), 0)]]
            self._bad((before[-1] if before else 0) + 1, "file", f"line {number} of the head file is no head")
        if not lines.found and stored:
            self._bad(1, "file", "the head file is missing")
            return
        outside = {head.size: head for head in lines.heads}
        inside = {head.size: head for head in stored}
        newest = stored[-1].size if stored else 0
        for size, head in inside.items():
            if outside.get(size) != head:
                what = "has another head" if size in outside else "does not have the head"
                self._bad(
                    size, "file", f"the head file {what} of {size} entries, signed at {head.time}: it was changed or replaced"
                )
        for size in outside:
            if size < newest and size not in inside:
                self._bad(size, "head", f"the database does not have the head of {size} entries, which the head file has")

    def _trust(self, place: str, heads: Iterable[SignedHead], keyring: Keyring) -> None:
        for head in heads:
            known = self._heads.get(head.size)
            if known == head:
                continue
            if not keyring.signed(head.key_id, statement(head), head.signature) or keyring.signer_of(head.size) != head.key_id:
                self._bad(head.size, "signature", f"the head of {head.size} entries ({place}) was not signed by the trail's key")
            elif known is None:
                self._heads[head.size] = head
            elif known.root != head.root:
                self._bad(head.size, "head", f"two heads of {head.size} entries with different roots were signed ({place})")

    # --- the walk -------------------------------------------------------------------------------------------------------------

    def _walk(self) -> None:
        end = self._session.execute(select(AuditHead).where(AuditHead.id == 1)).scalar_one_or_none()
        self._size = end.last_id if end else self._session.execute(select(func.max(AuditEntry.id))).scalar() or 0
        self._tree_from = end.tree_from if end else 1
        if self._tree_from < 1:
            self._bad(1, "end", f"the tree cannot have begun at entry {self._tree_from}")
        self._purged = self._checked_purge(end)
        below = self._session.execute(select(AuditEntry.id).where(AuditEntry.id < 1).limit(1)).scalar()
        if below is not None:
            self._bad(self._size + 1, "end", f"there is an entry with the number {below}")
        self._collect_heads()
        self._frontier = self._start()
        self._stored = StoredTree(self._session, self._frontier.size)
        self._chain: str | None = CHAIN_START  # None: the entry before is not there to compare with
        self._last_fit = self._frontier.size  # the last head whose root came out
        self._broken = False  # the tree cannot be followed any further
        self._head_sizes = sorted(size for size in self._heads if size > self._frontier.size)
        for read in entries(self._session, self._frontier.size):
            if read.id > self._size and read.fields is not None:
                self._bad(self._size + 1, "end", f"the trail was to end at entry {self._size}, but there is entry {read.id}")
                break
            while self._frontier.size + 1 < read.id and not self._broken:
                self._missing(self._frontier.size + 1)
            if self._broken:
                break
            self._entry(read)
            if self._frontier.size % _TOLD_EVERY == 0:
                self._progress(self._frontier.size, self._size)
        while self._frontier.size < self._size and not self._broken:
            self._missing(self._frontier.size + 1)
        self._check_end(end)
        self._progress(self._size, self._size)

    def _start(self) -> Frontier:
        if self._since is None:
            return Frontier()
        head = self._since
        if self._heads.get(head.size) != head:
            raise Invalid(f"the head of {head.size} entries is not one of this trail's, or not signed by it", "begin with another")
        now, lookup = tree.state(self._session), tree.node_lookup(self._session)
        if head.size > now.size:
            return Frontier()  # the walk tells it
        try:
            frontier = Frontier.of(head.size, lookup)
            path = consistency_proof(head.size, now.size, lookup)
        except NotFound as error:
            self._bad(1, "tree", error.message)
            return Frontier()
        roots = bytes.fromhex(head.root), bytes.fromhex(now.root)
        if frontier.root() != roots[0] or not verify_consistency(head.size, now.size, *roots, path):
            self._bad(1, "root", f"the tree does not continue the head of {head.size} entries, signed at {head.time}")
        return frontier

    def _entry(self, read: Read) -> None:
        """One row: content against leaf, then leaf into the tree."""
        number, stored = read.id, self._stored.at(0, read.id - 1)
        leaf = self._leaf(read)
        if leaf is not None and stored is not None and leaf != stored:
            self._bad(number, "changed", "its content was changed")
        if stored is None:
            self._bad(number, "tree", "its leaf is missing from the tree")
        use = stored if stored is not None and len(stored) == len(leaf or stored) else leaf
        if use is None:
            self._broken = True
            return
        self._grow(use)

    def _leaf(self, read: Read) -> bytes | None:
        """The leaf hash of the row as it stands; what of the row is outside of the leaf is checked here."""
        if read.fields is None:
            self._bad(read.id, "unreadable", read.problem)
            return None
        fields = {name: read.fields[name] for name in COLUMNS}
        leaf = leaf_of(fields)
        previous, digest = read.fields["previous"], read.fields["digest"]
        if read.id >= self._tree_from:
            if digest != leaf.hex() or previous != "":
                self._bad(read.id, "changed", "its content was changed")
            if read.id == self._tree_from and read.id > 1:
                self._check_chain_end(read)
            return leaf
        if self._chain is not None and previous != self._chain:
            self._bad(read.id, "chain", "does not continue the entry before it")
        elif digest != chain_digest(previous, fields):
            self._bad(read.id, "changed", "its content was changed")
        self._chain = digest
        return leaf

    def _check_chain_end(self, read: Read) -> None:
        assert read.fields is not None
        told = _detail(read.fields["detail"])
        if self._since is None and self._chain is not None and told.get("chain_digest") != self._chain:
            self._bad(
                read.id - 1, "chain", f"the chain before the tree ended otherwise when the tree was planted (entry {read.id})"
            )

    def _missing(self, number: int) -> None:
        """A number without a row: purged, or taken away."""
        if number > self._purged:
            self._bad(number, "missing", f"entry {number} is missing")
        self._chain = None
        leaf = self._stored.at(0, number - 1)
        if leaf is None or len(leaf) != len(CHAIN_START) // 2:
            self._bad(number, "missing", f"entry {number} and its leaf are missing")
            self._broken = True
            return
        self._grow(leaf)

    def _grow(self, leaf: bytes) -> None:
        nodes = self._frontier.append(leaf)
        size = self._frontier.size
        for node in nodes[1:]:
            if self._stored.differs(node):
                first = node.place << node.level
                self._bad(
                    size, "tree", f"the stored tree does not fit the leaves {first + 1} to {size} (node {node.level}/{node.place})"
                )
        if self._head_sizes and self._head_sizes[0] == size:
            self._check_root(self._heads[self._head_sizes.pop(0)])

    def _check_root(self, head: SignedHead) -> None:
        if self._frontier.root().hex() == head.root:
            self._last_fit, self._checked_heads = head.size, self._checked_heads + 1
            return
        first = self._last_fit + 1
        span = f"entries {first} to {head.size} are" if first < head.size else f"entry {head.size} is"
        self._bad(first, "root", f"{span} not what was signed at {head.time}")

    def _check_end(self, end: Any) -> None:
        size = self._frontier.size
        if end is None and (size or self._heads):
            self._bad(size + 1, "end", "the end of the trail is not recorded any more")
        elif end is not None and not self._broken:
            if bytes(end.peaks) != self._frontier.pack() or (size and end.digest != self._frontier.root().hex()):
                self._bad(size + 1, "end", f"the recorded end of the tree does not fit its {size} entries")
            elif extra := self._stored.beyond(size):
                self._bad(size + 1, "tree", f"the tree has a node beyond its end ({extra})")
        for beyond in self._head_sizes:
            head = self._heads[beyond]
            if beyond > size and not self._broken:
                text = f"the trail ends at entry {size}, but {beyond} entries were signed at {head.time}"
                self._bad(size + 1, "rollback", f"{text}: its end was cut or the database was rolled back")
                break

    def _checked_purge(self, end: Any) -> int:
        """Up to which entry rows may be missing: what the purge mark and the purge's own entry agree on."""
        marked = end.purged if end else 0
        if not marked:
            return 0
        acts = self._session.execute(
            select(AuditEntry.detail).where(AuditEntry.action == "audit.purge", AuditEntry.result == "success")
        )
        told = max((_detail(detail).get("to", 0) for detail in acts.scalars()), default=0)
        if told != marked:
            self._bad(1, "purge", f"entries up to {marked} are marked as purged, but the trail tells of a purge up to {told}")
        return min(marked, told)


def _detail(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
