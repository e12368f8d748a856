"""For tests: an issuer of real tokens whose keys a service under test is told to trust."""

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from service_kit import tokens
from service_kit.access import Access, declared_access
from service_kit.rate_limits import Rate, rate_of, usual_rate

TEST_ISSUER = "http://issuer.test"


class TokenIssuer:
    """Signs user and service tokens with a key of its own."""

    __test__ = False

    def __init__(self, *, issuer: str = TEST_ISSUER) -> None:
        self.issuer = issuer
        self.key = ECKey.generate_key("P-256", {"kid": "test-key"})

    def keys(self, _kid: str) -> KeySet:
        """Return the public keys, in the form `TokenVerifier` asks for."""
        return KeySet([ECKey.import_key(self.key.as_dict(private=False))])

    def verifier(self, service: str) -> tokens.TokenVerifier:
        """Return a verifier for one service that trusts this issuer."""
        return tokens.TokenVerifier(self.keys, issuer=self.issuer, service=service)

    def user(
        self,
        user_id: UUID,
        *,
        role: str = "AUDIENCE",
        approved: bool = False,
        claims: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        """Return the headers of a request by a signed-in person; `claims` overrides any claim."""
        now = int(time.time())
        return self.headers(
            tokens.USER_TYPE,
            {
                "iss": self.issuer,
                "aud": tokens.USER_AUDIENCE,
                "sub": str(user_id),
                "role": role,
                "approved": approved,
                "sid": "session",
                "auth_time": now,
                "amr": ["oidc"],
                "iat": now,
                "exp": now + 45,
                **(claims or {}),
            },
        )

    def admin(self, user_id: UUID) -> dict[str, str]:
        """Return the headers of a request by an admin who has given the second factor."""
        return self.user(user_id, role="ADMIN", claims={"amr": ["oidc", tokens.SECOND_FACTOR]})

    def service(self, name: str, *, audience: str, scope: str) -> dict[str, str]:
        """Return the headers of a request by another service."""
        now = int(time.time())
        return self.headers(
            tokens.SERVICE_TYPE,
            {
                "iss": self.issuer,
                "aud": audience,
                "sub": name,
                "scope": scope,
                "iat": now,
                "exp": now + 600,
            },
        )

    def suspended(self, user_id: UUID, *, audience: str) -> dict[str, str]:
        """Return the headers of a request by a person whose sign-ins do not count."""
        now = int(time.time())
        return self.headers(
            tokens.SUSPENDED_TYPE,
            {
                "iss": self.issuer,
                "aud": audience,
                "sub": str(user_id),
                "iat": now,
                "exp": now + 45,
            },
        )

    def headers(self, typ: str, claims: Mapping[str, Any]) -> dict[str, str]:
        """Return an Authorization header with these very claims."""
        header = {"alg": tokens.ALGORITHM, "typ": typ, "kid": self.key.kid}
        token = jwt.encode(header, dict(claims), self.key, algorithms=[tokens.ALGORITHM])
        return {"Authorization": f"Bearer {token}"}


def declared_routes(app: Flask) -> dict[str, str]:
    """Return who may call what, as the code says: `{"POST /things": "signed in", …}`."""
    return {
        f"{method} {rule.rule}": _name_of(declared_access(app, rule.endpoint))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def declared_rates(app: Flask) -> dict[str, Rate]:
    """Return how often which routes may be asked that say so themselves."""
    return {
        f"{method} {rule.rule}": rate_of(view, method)
        for rule in app.url_map.iter_rules()
        for view in [app.view_functions[rule.endpoint]]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rate_of(view, method) != usual_rate(method)
    }


def admits(client: FlaskClient, route: str, headers: Mapping[str, str]) -> bool:
    """Return whether a route lets a caller in: any answer but 401 and 403, whatever it says."""
    method, path = route.split(" ")
    numbered = re.sub(r"<int:[^>]+>", "1", path)
    concrete = re.sub(r"<[^>]+>", "00000000-0000-7000-8000-000000000000", numbered)
    response = client.open(concrete, method=method, headers=dict(headers))
    return response.status_code not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def _name_of(access: Access | None) -> str:
    return "nobody declared it" if access is None else access.name
