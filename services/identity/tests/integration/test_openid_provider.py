"""What is believed of a provider: a small one that says whatever a test wants it to say."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from identity_service.clients.openid_provider import OpenIdProvider, ProviderUnavailable
from identity_service.domain.errors import InvalidIdentity
from identity_service.domain.sign_in import ProviderIdentity

CLIENT_ID, CLIENT_SECRET = "comedy-connect", "the-client-secret-in-these-tests"
VERIFIER, NONCE = "v" * 43, "the-nonce"
REMOVED = object()


class FakeProvider:
    """Answers discovery, keys and the token endpoint."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1"}, private=True)
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}
        self.signed_with: tuple[str, Any] = ("RS256", self.key)
        self.discoveries = 0
        self.asked: dict[str, list[str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            self.discoveries += 1
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            } | self.metadata
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.id_token()} | (
            self.tokens
        )

    def id_token(self) -> str:
        now = int(time.time())
        honest = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "subject-1",
            "email": "asha@example.org",
            "email_verified": True,
            "nonce": NONCE,
            "iat": now,
            "exp": now + 60,
        }
        said = {name: x for name, x in (honest | self.claims).items() if x is not REMOVED}
        algorithm, key = self.signed_with
        return jwt.encode({"alg": algorithm, "kid": "k1"}, said, key, algorithms=[algorithm])

    def client(self) -> OpenIdProvider:
        return OpenIdProvider(
            self.url,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri="http://localhost:8080/callback",
        )

    def identity(self) -> ProviderIdentity:
        return self.client().identity("code", code_verifier=VERIFIER, nonce=NONCE)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler_of(provider: FakeProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(provider.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            provider.asked = parse_qs(self.rfile.read(length).decode())
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    fake = FakeProvider()
    yield fake
    fake.stop()


def test_what_a_good_token_says_is_believed(provider: FakeProvider) -> None:
    provider.claims = {"name": " Asha\x00 Rao\n", "picture": "https://x.example/a.png"}

    assert provider.identity() == ProviderIdentity(
        subject="subject-1",
        email="asha@example.org",
        email_verified=True,
        name="Asha Rao",
        image="https://x.example/a.png",
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("\u202eAsha\u202c\nRao\u200b", "AshaRao"),
        ("Asha\x1b[31m", "Asha[31m"),
        ("\u200b\u2066", None),
        ("శ్రావ్య రావు", "శ్రావ్య రావు"),
    ],
)
def test_a_name_that_nobody_may_type_is_cleaned_and_fails_no_sign_in(
    provider: FakeProvider, said: str, kept: str | None
) -> None:
    provider.claims = {"name": said}

    assert provider.identity().name == kept


def test_the_token_endpoint_gets_the_verifier_of_the_challenge(provider: FakeProvider) -> None:
    url = provider.client().authorization_url(state="s", nonce=NONCE, code_verifier=VERIFIER)
    provider.identity()

    digest = hashlib.sha256(provider.asked["code_verifier"][0].encode()).digest()
    challenge = parse_qs(urlsplit(url).query)["code_challenge"]
    assert challenge == [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()]
    assert provider.asked["redirect_uri"] == ["http://localhost:8080/callback"]


@pytest.mark.parametrize(
    "claims",
    [
        {"azp": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},  # whose token it is must be said then
        {"aud": ["another-client"]},
        {"aud": REMOVED},
        {"iss": "https://evil.example"},
        {"iss": REMOVED},
        {"exp": 1},
        {"exp": REMOVED},
        {"exp": "never"},
        {"iat": 4_000_000_000, "exp": 4_000_000_060},
        {"nonce": "another"},
        {"nonce": REMOVED},
        {"sub": ""},
        {"sub": REMOVED},
        {"sub": "a\x00b"},
        {"sub": 7},
        {"at_hash": "of-another-token"},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_not_believed(
    provider: FakeProvider, claims: dict[str, Any]
) -> None:
    provider.claims = claims

    with pytest.raises(InvalidIdentity):
        provider.identity()


def test_several_audiences_are_fine_if_the_token_was_issued_to_us(provider: FakeProvider) -> None:
    provider.claims = {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}

    assert provider.identity().subject == "subject-1"


@pytest.mark.parametrize("said", ["true", 1, None, False, REMOVED])
def test_an_email_counts_as_verified_only_if_the_provider_says_exactly_that(
    provider: FakeProvider, said: object
) -> None:
    provider.claims = {"email_verified": said}

    assert provider.identity().email_verified is False


def test_a_token_signed_with_our_own_client_secret_is_not_believed(provider: FakeProvider) -> None:
    provider.signed_with = ("HS256", OctKey.import_key(CLIENT_SECRET))

    with pytest.raises(InvalidIdentity):
        provider.identity()


def test_an_answer_without_an_id_token_identifies_nobody(provider: FakeProvider) -> None:
    provider.tokens = {"id_token": None}

    with pytest.raises(InvalidIdentity):
        provider.identity()


@pytest.mark.parametrize(
    "metadata", [{"issuer": "https://evil.example"}, {"token_endpoint": None}, {"jwks_uri": 7}]
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(
    provider: FakeProvider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata

    with pytest.raises(ProviderUnavailable):
        provider.identity()


def test_the_providers_description_is_asked_for_once(provider: FakeProvider) -> None:
    client = provider.client()

    for _ in range(3):
        client.authorization_url(state="s", nonce=NONCE, code_verifier=VERIFIER)

    assert provider.discoveries == 1
