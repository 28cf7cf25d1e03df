"""A token through PKCS#11 (v2.40 and later) keeps the master key wrapped: AES-256-GCM under a key that never leaves the token.

    keeper = TokenKeeper(Path("/usr/lib/softhsm/libsofthsm2.so"), token="liandun", key="liandun-master", pin=read_pin)

Invariants: the wrapping key is CKA_SENSITIVE and not CKA_EXTRACTABLE, or it is not used; the generation's number is authenticated,
so a wrapped key of one generation does not pass for another; a PIN that the token has refused is not tried again, and the last try
that a token leaves is not used up. Each call opens a session of its own and closes it, so that nobody stays logged in.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crypto.errors import SecretError
from crypto.sm3 import sm3

_PREFIX, _NONCE, _TAG, _KEY = "aes-256-gcm:", 12, 16, 16
_lock = threading.Lock()  # login is a state of the whole process, not of one session
_initialised: dict[str, int] = {}
_refused: set[bytes] = set()


class TokenKeeper:
    """The keeper behind one AES key of one token."""

    name = "pkcs11"

    def __init__(self, module: Path, *, token: str, key: str, pin: Callable[[], str]) -> None:
        """
        module  the vendor's shared library
        token   label of the token
        key     label (CKA_LABEL) of the wrapping key in it
        pin     gives the user PIN; called for each session, the PIN is not kept
        """
        self._module, self._token, self._key, self._pin = module, token, key, pin

    def protect(self, key: bytes, generation: int) -> str:
        nonce = secrets.token_bytes(_NONCE)
        with self._session(write=True) as (pkcs11, session):
            wrapping = self._find(pkcs11, session) or self._make(pkcs11, session)
            blob = nonce + _gcm(pkcs11, wrapping.encrypt, key, nonce, generation)
        return _PREFIX + base64.b64encode(blob).decode()

    def reveal(self, kept: str, generation: int) -> bytes:
        try:
            blob = base64.b64decode(kept.removeprefix(_PREFIX), validate=True) if kept.startswith(_PREFIX) else b""
        except ValueError:
            blob = b""
        if len(blob) != _NONCE + _KEY + _TAG:
            raise SecretError("the wrapped master key is damaged: bring the key file back from a backup")
        with self._session() as (pkcs11, session):
            wrapping = self._find(pkcs11, session)
            if wrapping is None:
                raise SecretError(
                    f"the token {self._token!r} has no AES key {self._key!r}: is it the token that wrapped the master key?"
                )
            try:
                return _gcm(pkcs11, wrapping.decrypt, blob[_NONCE:], blob[:_NONCE], generation)
            except pkcs11.PKCS11Error as error:
                raise SecretError(
                    f"the wrapped master key does not open in the token {self._token!r}: it was changed, or another key wrapped it "
                    f"({_told(error)})"
                ) from error

    def examine(self) -> str:
        with self._session() as (pkcs11, session):
            token = session.token
            wrapping = self._find(pkcs11, session)
            state = "no wrapping key yet, the first use makes it"
            if wrapping is not None:
                nonce, probe = secrets.token_bytes(_NONCE), secrets.token_bytes(_KEY)
                sealed = _gcm(pkcs11, wrapping.encrypt, probe, nonce, 0)
                if _gcm(pkcs11, wrapping.decrypt, sealed, nonce, 0) != probe:
                    raise SecretError(f"the token {self._token!r} does not give back what it wrapped")
                state = f"AES-256 key {self._key!r}, not extractable"
            return f"PKCS#11 token {self._token!r} ({token.manufacturer_id} {token.model}): {state}"

    @contextmanager
    def _session(self, *, write: bool = False) -> Iterator[tuple[Any, Any]]:
        pkcs11 = _library()
        with _lock:
            try:
                with _turn(self._module):
                    session = self._log_in(pkcs11, write)
                with session:
                    yield pkcs11, session
            except pkcs11.PKCS11Error as error:
                raise SecretError(f"the token {self._token!r} does not do what was asked: {_told(error)}") from error

    def _log_in(self, pkcs11: Any, write: bool) -> Any:
        token = self._open_token(pkcs11)
        pin = self._pin()
        mark = sm3(f"{self._module}\0{self._token}\0{pin}".encode())
        if mark in _refused:
            raise SecretError(f"the token {self._token!r} has refused this PIN; it is not tried again before a restart")
        try:
            return token.open(rw=write, user_pin=pin)
        except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid) as error:
            _refused.add(mark)
            raise SecretError(f"the token {self._token!r} refuses the PIN: see [secrets.pkcs11] pin_file") from error

    def _open_token(self, pkcs11: Any) -> Any:
        name = str(self._module)
        try:
            library = pkcs11.lib(name)
            if _initialised.setdefault(name, os.getpid()) != os.getpid():  # PKCS#11: a forked child initialises anew
                library.reinitialize()
                _initialised[name] = os.getpid()
            tokens = [token for token in library.get_tokens() if token.label == self._token]
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise SecretError(f"the PKCS#11 library {name} cannot be used: {_told(error)}") from error
        if len(tokens) != 1:
            found = "there is no token" if not tokens else f"{len(tokens)} tokens are"
            raise SecretError(f"{found} labelled {self._token!r} behind {name}")
        flags, flag = tokens[0].flags, pkcs11.TokenFlag
        if flags & flag.USER_PIN_LOCKED:
            raise SecretError(f"the PIN of the token {self._token!r} is locked: its security officer has to reset it")
        if flags & flag.USER_PIN_FINAL_TRY:
            raise SecretError(
                f"the token {self._token!r} leaves one try before its PIN is locked; it is not used up: log in by hand first"
            )
        return tokens[0]

    def _find(self, pkcs11: Any, session: Any) -> Any:
        attribute = pkcs11.Attribute
        wanted = {
            attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
            attribute.KEY_TYPE: pkcs11.KeyType.AES,
            attribute.LABEL: self._key,
        }
        found = list(session.get_objects(wanted))
        if len(found) > 1:
            raise SecretError(f"the token {self._token!r} has {len(found)} AES keys {self._key!r}: name one that is alone")
        if not found:
            return None
        if found[0][attribute.EXTRACTABLE] or not found[0][attribute.SENSITIVE]:
            raise SecretError(f"the key {self._key!r} may leave the token {self._token!r}: it is not used; make another one")
        return found[0]

    def _make(self, pkcs11: Any, session: Any) -> Any:
        attribute = pkcs11.Attribute
        no = (attribute.EXTRACTABLE, attribute.WRAP, attribute.UNWRAP, attribute.SIGN, attribute.VERIFY, attribute.DERIVE)
        yes = (attribute.SENSITIVE, attribute.PRIVATE, attribute.ENCRYPT, attribute.DECRYPT)
        template = dict.fromkeys(no, False) | dict.fromkeys(yes, True)
        return session.generate_key(
            pkcs11.KeyType.AES, 256, label=self._key, id=self._key.encode()[:32], store=True, template=template
        )


def _gcm(pkcs11: Any, act: Callable[..., bytes], octets: bytes, nonce: bytes, generation: int) -> bytes:
    """CKM_AES_GCM with a tag of 128 bits over the generation's number."""
    parameters = pkcs11.GCMParams(nonce, f"liandun master key {generation}".encode(), _TAG * 8)
    return bytes(act(octets, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=parameters))


@contextmanager
def _turn(module: Path) -> Iterator[None]:
    """One process at a time looks how many tries are left and logs in: roles that start together would use up the last ones."""
    try:
        handle = os.open(module, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # the library is found by its name alone, or not at all: what opens it will tell
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _library() -> Any:
    try:
        import pkcs11
    except ImportError as error:
        raise SecretError("the package python-pkcs11 is not installed: pip install 'liandun[pkcs11]'") from error
    return pkcs11


def _told(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
