"""What a forged or misplaced token meets."""

import time
from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from service_kit import tokens
from service_kit.testing import TEST_ISSUER, TokenIssuer
from service_kit.tokens import (
    Caller,
    CallingService,
    InvalidToken,
    SuspendedCaller,
    TokenVerifier,
)

ISSUER = TokenIssuer()
PERSON = uuid4()


@pytest.fixture
def verifier() -> TokenVerifier:
    return ISSUER.verifier("booking")


def user_claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": TEST_ISSUER,
        "aud": tokens.USER_AUDIENCE,
        "sub": str(PERSON),
        "role": "AUDIENCE",
        "approved": False,
        "sid": "s",
        "auth_time": now,
        "amr": ["oidc"],
        "iat": now,
        "exp": now + 45,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], *, typ: str = tokens.USER_TYPE) -> str:
    return ISSUER.headers(typ, claims)["Authorization"].removeprefix("Bearer ")


def test_a_good_user_token_names_the_person(verifier: TokenVerifier) -> None:
    caller = verifier.verify(signed(user_claims(role="ORGANIZER", approved=True)))

    assert isinstance(caller, Caller)
    assert (caller.id, caller.role, caller.approved) == (PERSON, "ORGANIZER", True)


def test_a_good_service_token_names_the_service_and_its_scopes(verifier: TokenVerifier) -> None:
    headers = ISSUER.service("catalog", audience="booking", scope="a b")

    caller = verifier.verify(headers["Authorization"].removeprefix("Bearer "))

    assert caller == CallingService("catalog", frozenset({"a", "b"}))


def test_the_token_of_who_is_suspended_names_the_person_and_makes_no_caller(
    verifier: TokenVerifier,
) -> None:
    headers = ISSUER.suspended(PERSON, audience="booking")

    caller = verifier.verify(headers["Authorization"].removeprefix("Bearer "))

    assert caller == SuspendedCaller(PERSON)


@pytest.mark.parametrize("audience", ["catalog", tokens.USER_AUDIENCE])
def test_the_token_of_who_is_suspended_is_for_one_service_only(
    verifier: TokenVerifier, audience: str
) -> None:
    headers = ISSUER.suspended(PERSON, audience=audience)

    with pytest.raises(InvalidToken):
        verifier.verify(headers["Authorization"].removeprefix("Bearer "))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://elsewhere.test"},
        {"iss": None},
        {"aud": "another-audience"},
        {"aud": None},
        {"exp": None},
        {"exp": int(time.time()) - 60},
        {"iat": None},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"sub": "not-an-id"},
        {"role": None},
        {"sid": None},
        {"amr": None},
        {"auth_time": "x"},
    ],
)
def test_a_wrong_or_missing_claim_is_refused(
    verifier: TokenVerifier, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(signed(user_claims(**changes)))


def test_approval_is_granted_by_true_only(verifier: TokenVerifier) -> None:
    caller = verifier.verify(signed(user_claims(approved="yes")))

    assert isinstance(caller, Caller)
    assert caller.approved is False


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", tokens.SERVICE_TYPE, tokens.SUSPENDED_TYPE])
def test_a_token_of_another_type_is_refused(verifier: TokenVerifier, typ: str) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(signed(user_claims(), typ=typ))


def test_a_user_token_for_the_service_audience_is_refused(verifier: TokenVerifier) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(signed(user_claims(aud="booking")))


def test_a_service_token_for_another_service_is_refused(verifier: TokenVerifier) -> None:
    headers = ISSUER.service("catalog", audience="config", scope="a")

    with pytest.raises(InvalidToken):
        verifier.verify(headers["Authorization"].removeprefix("Bearer "))


def forged(key: Any, alg: str, **header: Any) -> str:
    head = {"alg": alg, "typ": tokens.USER_TYPE, "kid": ISSUER.key.kid, **header}
    return jwt.encode(head, user_claims(), key, algorithms=[alg])


def unsigned() -> str:
    payload = signed(user_claims()).split(".")[1]
    none = urlsafe_b64encode(b'{"alg":"none","typ":"user+jwt","kid":"test-key"}').decode()
    return f"{none.rstrip('=')}.{payload}."


STRANGER = ECKey.generate_key("P-256")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(unsigned(), id="alg none"),
        pytest.param(forged(STRANGER, "ES256"), id="foreign key under our id"),
        pytest.param(forged(STRANGER, "ES256", kid="theirs"), id="foreign key id"),
        pytest.param(
            forged(STRANGER, "ES256", jwk=STRANGER.as_dict(private=False)), id="embedded key"
        ),
        pytest.param(forged(RSAKey.generate_key(2048), "RS256"), id="RS256"),
        pytest.param(
            forged(OctKey.import_key(str(ISSUER.key.as_dict(private=False)["x"])), "HS256"),
            id="HS256 with the public key",
        ),
        pytest.param(signed(user_claims(pad="x" * 5000)), id="oversized"),
        pytest.param("not-a-token", id="garbage"),
        pytest.param("a.b.c", id="three letters"),
        pytest.param("", id="empty"),
        pytest.param("é.ü.ö", id="not ASCII"),
    ],
)
def test_a_forged_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(token)


def test_a_verified_token_is_not_trusted_beyond_its_time() -> None:
    now = int(time.time())
    verifier = TokenVerifier(ISSUER.keys, issuer=TEST_ISSUER, service="booking")
    token = signed(user_claims(exp=now - tokens.LEEWAY_SECONDS + 2))
    verifier.verify(token)

    time.sleep(2.1)

    with pytest.raises(InvalidToken):
        verifier.verify(token)
