"""A real provider process and a client that does what identity does."""

import base64
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

CLIENT_ID = "comedy-connect"
CLIENT_SECRET = secrets.token_urlsafe()
CALLBACK = "http://localhost:56999/api/auth/callback/google"
DEV = Path(__file__).parents[2] / "deploy" / "dev"


@dataclass
class Provider:
    """A running provider."""

    url: str
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=10, allow_redirects=False, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=10, allow_redirects=False, **options)

    def misbehave(self, misbehaviour: str | None) -> None:
        answer = requests.put(
            f"{self.url}/control/next-sign-in", json={"misbehaviour": misbehaviour}, timeout=10
        )
        assert answer.status_code == 200

    def verified(self, id_token: str) -> dict[str, Any]:
        """Return the claims of an ID token that one of the published keys has signed."""
        keys = KeySet.import_key_set(self.get("/jwks.json").json())
        return dict(jwt.decode(id_token, keys, ["RS256"]).claims)


@dataclass
class SignIn:
    """One run of the code flow."""

    provider: Provider
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=secrets.token_urlsafe)
    nonce: str = field(default_factory=secrets.token_urlsafe)

    def request(self, **changed: str | None) -> dict[str, str]:
        """Return the parameters of the authorization request; None leaves one out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        parameters = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": "openid email profile",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**parameters, **changed}.items() if value}

    def decide(self, form: Mapping[str, str], **changed: str | None) -> dict[str, str]:
        """Submit the page's form; return what the callback would be told."""
        answer = self.provider.post("/authorize", params=self.request(**changed), data=form)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"].startswith(CALLBACK + "?")
        told = parse_qs(urlsplit(answer.headers["Location"]).query)
        return {name: values[0] for name, values in told.items()}

    def code(self, email: str) -> str:
        told = self.decide({"email": email})
        assert told["state"] == self.state
        return told["code"]

    def redeem(self, code: str, **changed: str | None) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
            **changed,
        }
        return self.provider.post("/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET))

    def tokens(self, email: str) -> dict[str, Any]:
        answer = self.redeem(self.code(email))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


StartProvider = Callable[..., Provider]


@pytest.fixture(scope="session")
def start_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartProvider]:
    with ExitStack() as stack:

        def start(**environment: str) -> Provider:
            key_file = tmp_path_factory.mktemp("provider") / "openid-key.json"
            environment = {"OPENID_KEY_FILE": str(key_file), **environment}
            return stack.enter_context(running_provider(environment))

        yield start


@pytest.fixture(scope="session")
def provider(start_provider: StartProvider) -> Provider:
    return start_provider()


@pytest.fixture
def sign_in_at() -> Callable[[Provider], SignIn]:
    return SignIn


@pytest.fixture
def sign_in(provider: Provider) -> SignIn:
    return SignIn(provider)


@contextmanager
def running_provider(environment: Mapping[str, str]) -> Iterator[Provider]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(DEV),
        "PYTHONWARNINGS": "error::DeprecationWarning:authlib",
        "ENV": "development",
        "PORT": str(port),
        "PUBLIC_URL": "http://localhost:56999",
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        **environment,
    }
    process = subprocess.Popen([sys.executable, "-m", "fakes.openid_provider"], env=environment)
    provider = Provider(f"http://127.0.0.1:{port}", environment, process)
    try:
        _wait_until_ready(provider)
        yield provider
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_ready(provider: Provider) -> None:
    for _ in range(300):
        assert provider.process.poll() is None, "the provider ended"
        try:
            if provider.get("/healthz").status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the provider did not get ready")
