"""Sign-in by an OpenID provider (OpenID Connect Core 1.0): code flow with PKCE (RFC 7636, S256), ``state`` and ``nonce``.

What begins a sign-in (state, nonce, verifier) is kept on the server, bound to the browser that began it, and taken once. The ID
token must be signed by a key of the issuer with RS256, ES256 or PS256 (never "none", never by the client secret), be meant for us,
come from exactly this issuer (RFC 9207: also the ``iss`` of the answer, where given), carry our nonce, and be valid now but for the
clock skew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from kernel.errors import LiandunError
from operations.accounts.external import Person

_ALGORITHMS = ["RS256", "ES256", "PS256"]


class SignInError(LiandunError):
    """The provider's answer is not accepted, or it cannot be reached."""


class OidcSettings(msgspec.Struct, frozen=True):
    """As in [accounts.oidc] of the configuration."""

    issuer: str
    client_id: str
    client_secret: str = ""
    ca_file: Path | None = None
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    second_factor_acr: tuple[str, ...] = ()
    second_factor_amr: tuple[str, ...] = ("mfa", "otp", "hwk")
    clock_skew: int = 60
    timeout: float = 5.0


class Begun(msgspec.Struct, frozen=True):
    """What has to be remembered between going to the provider and coming back."""

    state: str
    nonce: str
    verifier: str
    next: str = "/"


class SignedIn(msgspec.Struct, frozen=True):
    """Who came back; ``second_factor`` True where the provider says that it checked one."""

    person: Person
    second_factor: bool


class OidcProvider:
    """One provider; its description and keys are read when they are needed."""

    def __init__(self, settings: OidcSettings, roles: Mapping[str, str]) -> None:
        self.roles = roles
        self._settings = settings

    def begin(self, redirect_uri: str, target: str = "/") -> tuple[str, Begun]:
        """Where the browser is sent, and what to remember. Raises SignInError."""
        begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), target)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._described()['authorization_endpoint']}?{urlencode(query)}", begun

    def finish(self, begun: Begun, answer: Mapping[str, str], redirect_uri: str) -> SignedIn:
        """Who the answer (query of the way back) is about. Raises SignInError with the reason."""
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise SignInError("the answer does not belong to this browser", "log in again")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:
            raise SignInError("the answer comes from another provider")
        if "error" in answer or not answer.get("code"):
            raise SignInError(f"the provider refused: {answer.get('error', 'no code')[:64]}")
        described = self._described()
        token = self._exchange(described["token_endpoint"], answer["code"], begun.verifier, redirect_uri)
        return self._read(self._claims(token, described["jwks_uri"], begun.nonce))

    def _described(self) -> dict[str, str]:
        described = self._get(self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if described.get("issuer") != self._settings.issuer:  # OpenID Connect Discovery 1.0, 4.3
            raise SignInError("the provider calls itself by another name", f"accounts.oidc.issuer = {described.get('issuer')!r}?")
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if not all(isinstance(described.get(name), str) for name in wanted):
            raise SignInError("the provider's description is incomplete")
        return {name: described[name] for name in wanted}

    def _exchange(self, endpoint: str, code: str, verifier: str, redirect_uri: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        form["client_id"] = self._settings.client_id
        secret = self._settings.client_secret
        try:
            with self._client() as client:
                auth = httpx.BasicAuth(self._settings.client_id, secret) if secret else None
                answer = client.post(endpoint, data=form, auth=auth) if auth else client.post(endpoint, data=form)
                body = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SignInError(f"the provider cannot be reached: {error}") from error
        token = body.get("id_token") if isinstance(body, dict) and answer.status_code == 200 else None
        if not isinstance(token, str):
            raise SignInError("the provider did not take the code")
        return token

    def _claims(self, token: str, jwks_uri: str, nonce: str) -> dict[str, Any]:
        settings = self._settings
        rules = JWTClaimsRegistry(
            leeway=settings.clock_skew,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            keys = KeySet.import_key_set(self._get(jwks_uri))  # type: ignore[arg-type]  # checked by what it raises
            claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            rules.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise SignInError(f"the ID token is not accepted: {error}") from error
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if len(audience) > 1 and claims.get("azp") != settings.client_id:  # OpenID Connect Core 1.0, 3.1.3.7 (4, 5)
            raise SignInError("the ID token is meant for somebody else")
        return dict(claims)

    def _read(self, claims: Mapping[str, Any]) -> SignedIn:
        settings = self._settings
        groups = claims.get(settings.groups_claim)
        name = claims.get(settings.name_claim)
        person = Person(
            origin="oidc",
            subject=str(claims["sub"]),
            name=str(name) if isinstance(name, str) and name else str(claims["sub"]),
            display_name=str(claims.get("name") or ""),
            groups=tuple(str(one) for one in groups) if isinstance(groups, list) else (),
        )
        methods = claims.get("amr")
        proven = claims.get("acr") in settings.second_factor_acr or _any(methods, settings.second_factor_amr)
        return SignedIn(person, proven)

    def _get(self, url: str) -> dict[str, Any]:
        try:
            with self._client() as client:
                answer = client.get(url)
                answer.raise_for_status()
                body = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SignInError(f"the provider cannot be reached: {error}", "see accounts.oidc in the configuration") from error
        if not isinstance(body, dict):
            raise SignInError("the provider's answer cannot be read")
        return body

    def _client(self) -> httpx.Client:
        verify: Any = str(self._settings.ca_file) if self._settings.ca_file else True
        return httpx.Client(verify=verify, timeout=self._settings.timeout, follow_redirects=False)


def _any(values: Any, wanted: Sequence[str]) -> bool:
    return isinstance(values, list) and any(value in wanted for value in values)
