from __future__ import annotations

import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from joserfc.errors import JoseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fakes.conftest import Provider, SignIn, StartProvider


def test_the_code_flow_tells_who_signed_in(provider: Provider, sign_in: SignIn) -> None:
    before = int(time.time())

    tokens = sign_in.tokens("organizer@comedy.example")

    claims = provider.verified(tokens["id_token"])
    assert claims["iss"] == f"http://localhost:{urlsplit(provider.url).port}"
    assert claims["aud"] == "comedy-connect"
    assert claims["sub"] == claims["email"] == "organizer@comedy.example"
    assert claims["email_verified"] is True
    assert claims["name"] == "Omar Siddiqui"
    assert claims["nonce"] == sign_in.nonce
    assert before <= claims["auth_time"] <= claims["iat"] < claims["exp"] <= before + 3700
    assert "picture" not in claims
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert provider.get("/userinfo", headers=bearer).json() == {
        name: claims[name] for name in ("sub", "email", "email_verified", "name")
    }


@pytest.mark.parametrize(
    ("typed", "email", "name"),
    [
        (" Ravi.Kumar+news@Example.COM ", "ravi.kumar+news@example.com", "Ravi Kumar"),
        ("x@y.example", "x@y.example", "X"),
        ("AUDIENCE@comedy.example", "audience@comedy.example", "Asha Reddy"),
    ],
)
def test_a_typed_email_makes_a_person(
    provider: Provider, sign_in: SignIn, typed: str, email: str, name: str
) -> None:
    claims = provider.verified(sign_in.tokens(typed)["id_token"])

    assert (claims["sub"], claims["email"], claims["name"]) == (email, email, name)


@pytest.mark.parametrize(
    "typed", ["", "nobody", "a@b@c.example", "a b@c.example", '<b>"@x.example']
)
def test_what_is_no_email_brings_the_page_back(
    provider: Provider, sign_in: SignIn, typed: str
) -> None:
    answer = provider.post("/authorize", params=sign_in.request(), data={"email": typed})

    assert answer.status_code == 422
    assert "This is not an e-mail address." in answer.text
    assert "<b>" not in answer.text


def test_the_page_offers_the_seeded_accounts_and_needs_nothing_from_elsewhere(
    provider: Provider, sign_in: SignIn
) -> None:
    answer = provider.get("/authorize", params=sign_in.request(login_hint="me@x.example"))

    assert answer.headers["Content-Type"].startswith("text/html")
    for role in ("audience", "organizer", "comedian", "admin"):
        assert f'value="{role}@comedy.example"' in answer.text
    assert 'value="me@x.example"' in answer.text
    assert "://" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_denying_is_told_to_the_client(sign_in: SignIn) -> None:
    told = sign_in.decide({"deny": "1"})

    assert (told["error"], told["state"]) == ("access_denied", sign_in.state)


def test_a_wrong_verifier_is_refused_and_spends_the_code(sign_in: SignIn) -> None:
    code = sign_in.code("audience@comedy.example")

    refused = sign_in.redeem(code, code_verifier="w" * 43)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert sign_in.redeem(code).status_code == 400


def test_a_missing_verifier_is_refused(sign_in: SignIn) -> None:
    refused = sign_in.redeem(sign_in.code("audience@comedy.example"), code_verifier=None)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge": "too-short"},
    ],
)
def test_a_request_without_an_s256_challenge_is_refused(
    sign_in: SignIn, changed: dict[str, str | None]
) -> None:
    told = sign_in.decide({"email": "audience@comedy.example"}, **changed)

    assert told["error"] == "invalid_request"
    assert "code" not in told


def test_a_code_works_once(sign_in: SignIn) -> None:
    code = sign_in.code("audience@comedy.example")
    assert sign_in.redeem(code).status_code == 200

    replayed = sign_in.redeem(code)

    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://evil.example/api/auth/callback/google"},
        {"redirect_uri": "http://localhost:56999/api/auth/callback/google/../evil"},
        {"redirect_uri": None},
        {"client_id": "somebody"},
        {"client_id": None},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_address_or_client_is_refused_without_a_redirect(
    provider: Provider, sign_in: SignIn, method: str, changed: dict[str, str | None]
) -> None:
    send = provider.get if method == "GET" else provider.post
    data = None if method == "GET" else {"email": "audience@comedy.example"}

    answer = send("/authorize", params=sign_in.request(**changed), data=data)

    assert answer.status_code in (400, 401)
    assert "Location" not in answer.headers


def test_a_code_is_redeemed_only_with_the_address_it_was_sent_to(sign_in: SignIn) -> None:
    code = sign_in.code("audience@comedy.example")

    assert sign_in.redeem(code, redirect_uri="http://evil.example/").status_code == 400


def test_the_client_may_send_its_secret_in_the_form(provider: Provider, sign_in: SignIn) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": sign_in.code("audience@comedy.example"),
        "redirect_uri": sign_in.request()["redirect_uri"],
        "code_verifier": sign_in.verifier,
        "client_id": "comedy-connect",
    }

    wrong = provider.post("/token", data=form | {"client_secret": "guessed"})
    none = provider.post("/token", data=form)
    right = provider.post(
        "/token", data=form | {"client_secret": provider.environment["OIDC_CLIENT_SECRET"]}
    )

    assert [answer.status_code for answer in (wrong, none, right)] == [401, 401, 200]


def test_the_scope_decides_what_the_client_learns(provider: Provider, sign_in: SignIn) -> None:
    told = sign_in.decide({"email": "audience@comedy.example"}, scope="openid")

    claims = provider.verified(sign_in.redeem(told["code"]).json()["id_token"])

    assert claims["sub"] == "audience@comedy.example"
    assert not {"email", "name"} & set(claims)


def test_discovery_describes_the_provider(start_provider: StartProvider) -> None:
    provider = start_provider(OPENID_ISSUER="http://sign-in.localhost/")

    described = provider.get("/.well-known/openid-configuration").json()

    assert described["issuer"] == "http://sign-in.localhost"
    assert described["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert described[name].startswith("http://sign-in.localhost/")
        assert provider.get(urlsplit(described[name]).path).status_code != 404


def test_no_private_part_of_a_key_is_published(provider: Provider) -> None:
    [key] = provider.get("/jwks.json").json()["keys"]

    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


def test_userinfo_is_for_bearers_of_its_tokens(provider: Provider) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        assert provider.get("/userinfo", headers=headers).status_code == 401


def test_a_restart_keeps_the_key_in_a_file_of_its_owner(
    start_provider: StartProvider, tmp_path: Path
) -> None:
    file = tmp_path / "openid-key.json"
    first = start_provider(OPENID_KEY_FILE=str(file))
    keys = first.get("/jwks.json").json()
    first.process.terminate()
    first.process.wait(timeout=60)

    assert start_provider(OPENID_KEY_FILE=str(file)).get("/jwks.json").json() == keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_stops_in_order_when_asked_to(start_provider: StartProvider) -> None:
    provider = start_provider()

    provider.process.terminate()

    assert provider.process.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ENV": "production"}, "ENV=development only"),
        ({"ENV": ""}, "ENV=development only"),
        ({"PORT": "http"}, "PORT is not a number"),
        ({"OIDC_CLIENT_ID": "", "PORT": ""}, "Missing in the environment: PORT, OIDC_CLIENT_ID"),
    ],
)
def test_it_refuses_to_start_outside_of_development_or_half_configured(
    provider: Provider, changed: dict[str, str], said: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "fakes.openid_provider"],
        env={**provider.environment, **changed},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("misbehaviour", "claim", "value"),
    [
        ("wrong_nonce", "nonce", "somebody-elses"),
        ("wrong_issuer", "iss", "https://accounts.evil.example"),
        ("wrong_audience", "aud", "another-client"),
        ("email_unverified", "email_verified", False),
    ],
)
def test_the_next_sign_in_can_be_wrong_in_one_claim_and_only_the_next(
    provider: Provider, sign_in: SignIn, misbehaviour: str, claim: str, value: object
) -> None:
    provider.misbehave(misbehaviour)

    wrong = provider.verified(sign_in.tokens("audience@comedy.example")["id_token"])
    right = provider.verified(sign_in.tokens("audience@comedy.example")["id_token"])

    assert wrong[claim] == value
    assert right[claim] != value
    changes_by_itself = {claim, "at_hash", "iat", "exp", "auth_time"}
    assert {name for name in right if wrong[name] != right[name]} <= changes_by_itself


def test_the_next_id_token_can_be_expired(provider: Provider, sign_in: SignIn) -> None:
    provider.misbehave("expired")

    claims = provider.verified(sign_in.tokens("audience@comedy.example")["id_token"])

    assert claims["exp"] < time.time() - 3600


@pytest.mark.parametrize("misbehaviour", ["foreign_key", "unsigned"])
def test_the_next_id_token_can_be_signed_by_nobody_it_should(
    provider: Provider, sign_in: SignIn, misbehaviour: str
) -> None:
    provider.misbehave(misbehaviour)
    wrong = sign_in.tokens("audience@comedy.example")["id_token"]

    with pytest.raises(JoseError):
        provider.verified(wrong)
    assert provider.verified(sign_in.tokens("audience@comedy.example")["id_token"])


def test_the_token_endpoint_can_fail_once(provider: Provider, sign_in: SignIn) -> None:
    provider.misbehave("token_endpoint_fails")

    assert sign_in.redeem(sign_in.code("audience@comedy.example")).status_code == 500
    assert sign_in.redeem(sign_in.code("audience@comedy.example")).status_code == 200


def test_a_misbehaviour_can_be_taken_back_and_must_be_a_known_one(provider: Provider) -> None:
    provider.misbehave("expired")
    assert provider.get("/control").json()["nextSignIn"] == "expired"
    provider.misbehave(None)

    control = provider.get("/control").json()
    assert control["nextSignIn"] is None
    assert "wrong_nonce" in control["misbehaviours"]
    with pytest.raises(AssertionError):
        provider.misbehave("everything")


@pytest.mark.parametrize("keep_previous", [True, False])
def test_the_key_can_be_rotated(
    start_provider: StartProvider, sign_in_at: Callable[[Provider], SignIn], *, keep_previous: bool
) -> None:
    provider = start_provider()
    before = sign_in_at(provider).tokens("audience@comedy.example")["id_token"]

    answer = provider.post("/control/key-rotations", json={"keepPrevious": keep_previous})

    after = sign_in_at(provider).tokens("audience@comedy.example")["id_token"]
    assert provider.verified(after)
    published = [key["kid"] for key in provider.get("/jwks.json").json()["keys"]]
    assert published[0] == answer.json()["kid"]
    if keep_previous:
        assert provider.verified(before)
    else:
        with pytest.raises((JoseError, ValueError)):
            provider.verified(before)


def test_a_page_of_another_origin_cannot_use_the_control(provider: Provider) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = provider.post(
            "/control/key-rotations", data="{}", headers={"Content-Type": content_type}
        )
        assert answer.status_code == 415
