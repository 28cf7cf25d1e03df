"""A small real OpenID provider (authlib's server side), a process of its own: python -m tests.soc_ui.oidc_provider PORT

Whoever is sent to ``/authorize`` is signed in as the person that ``/next?claims=…`` (JSON) named last. ``/fault?kind=…`` makes it
answer wrongly: another issuer, an old token, another audience, another nonce, another key, an unsigned token.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.jose import JsonWebKey, jwt
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, request

ID, SECRET = "liandun", "provider-secret"
KEY, OTHER = (JsonWebKey.generate_key("RSA", 2048, is_private=True, options={"kid": "one"}) for _ in range(2))
STATE: dict[str, Any] = {"claims": {"sub": "u-1"}, "fault": "", "codes": {}, "nonces": set()}


class Client(ClientMixin):
    """The one client."""

    def get_client_id(self) -> str:
        return ID

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/login/oidc/callback")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(AuthorizationCodeMixin):
    """An authorization code; works once."""

    def __init__(self, code: str, asked: Any, claims: dict[str, Any]) -> None:
        self.code, self.claims = code, claims
        payload = asked.payload
        self.redirect_uri, self.scope = payload.redirect_uri, payload.scope
        self.nonce = payload.data.get("nonce")
        self.code_challenge = payload.data.get("code_challenge")
        self.code_challenge_method = payload.data.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> str | None:
        return self.claims.get("acr")

    def get_amr(self) -> list[str] | None:
        return self.claims.get("amr")


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code: str, request: Any) -> Code:
        STATE["codes"][code] = Code(code, request, dict(STATE["claims"]))
        STATE["nonces"].add(STATE["codes"][code].nonce)
        return STATE["codes"][code]

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return STATE["codes"].get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        STATE["codes"].pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return authorization_code.claims


class IdToken(OpenIDCode):
    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return nonce in STATE["nonces"]

    def get_jwt_config(self, grant: Any) -> dict[str, Any]:
        return {"key": KEY, "alg": "RS256", "iss": ISSUER, "exp": 300}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
        return UserInfo({name: value for name, value in user.items() if name not in ("acr", "amr")})


def faulty(body: dict[str, Any]) -> dict[str, Any]:
    """The token answer with what ``/fault`` asked for."""
    claims = dict(jwt.decode(body["id_token"], KEY))
    key, header = KEY, {"alg": "RS256", "kid": "one"}
    changes = {
        "issuer": {"iss": "https://evil.example"},
        "audience": {"aud": ["somebody-else"]},
        "shared": {"aud": [ID, "somebody-else"], "azp": "somebody-else"},
        "nonce": {"nonce": "replayed"},
        "old": {"exp": int(time.time()) - 120, "iat": int(time.time()) - 400},
        "skew": {"exp": int(time.time()) - 20},
        "early": {"nbf": int(time.time()) + 600},
    }
    claims |= changes.get(STATE["fault"], {})
    if STATE["fault"] == "key":
        key = OTHER
    token = jwt.encode(header, claims, key).decode()
    if STATE["fault"] == "unsigned":
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        token = f"{none}.{token.split('.')[1]}."
    if STATE["fault"] == "secret":
        token = jwt.encode({"alg": "HS256"}, claims, SECRET.encode()).decode()
    return body | {"id_token": token}


app = Flask(__name__)
PORT = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 0
ISSUER = f"http://127.0.0.1:{PORT}"
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": 300}
server = AuthorizationServer(app, query_client=lambda _id: Client() if _id == ID else None, save_token=lambda *_: None)
server.register_grant(CodeGrant, [CodeChallenge(required=True), IdToken(require_nonce=True)])


@app.get("/.well-known/openid-configuration")
def described() -> dict[str, str]:
    issuer = "https://evil.example" if STATE["fault"] == "described" else ISSUER
    ends = {name: f"{ISSUER}/{path}" for name, path in (("authorization_endpoint", "authorize"), ("token_endpoint", "token"))}
    return {"issuer": issuer, "jwks_uri": f"{ISSUER}/keys", **ends}


@app.get("/keys")
def keys() -> dict[str, Any]:
    return {"keys": [KEY.as_dict(is_private=False)]}


@app.get("/next")
def next_person() -> str:
    STATE["claims"] = json.loads(request.args["claims"])
    return ""


@app.get("/fault")
def fault() -> str:
    STATE["fault"] = request.args.get("kind", "")
    return ""


@app.get("/authorize")
def authorize() -> Any:
    grant = server.get_consent_grant(end_user=STATE["claims"])
    return server.create_authorization_response(request=None, grant_user=STATE["claims"], grant=grant)


@app.post("/token")
def token() -> Any:
    answer = server.create_token_response()
    if answer.status_code == 200 and STATE["fault"]:
        answer.set_data(json.dumps(faulty(json.loads(answer.get_data()))))
    return answer


if __name__ == "__main__":
    app.run("127.0.0.1", PORT)
