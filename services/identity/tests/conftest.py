"""The service in this process, a real Postgres, and the development OpenID provider beside it."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devstack.ports import free_ports
from devstack.testing import Databases
from identity_service.app import create_app
from identity_service.domain.sign_in import ProviderIdentity
from identity_service.settings import Settings
from identity_service.usecases.recognise_person import recognise_person
from identity_service.wiring import Wiring, wire
from service_kit.tokens import Caller, TokenVerifier

PUBLIC_URL = "http://localhost:8080"
ADMIN_EMAIL = "admin@comedy.example"

NOBODY = "http://127.0.0.1:9"
PEERS = {
    **dict.fromkeys(("IDENTITY_URL", "CATALOG_URL", "BOOKING_URL", "CONFIG_URL"), NOBODY),
    "SERVICE_CLIENT_ID": "identity",
    "SERVICE_CLIENT_SECRET": secrets.token_urlsafe(32),
    "ERASURE_KEY": secrets.token_urlsafe(32),
    "RATE_LIMIT_TIMES": "1000",  # tests ask often
}

PersonFactory = Callable[..., UUID]
OpenBrowser = Callable[[], "Browser"]


@dataclass(frozen=True)
class Provider:
    """The running OpenID provider."""

    url: str

    def misbehave(self, how: str) -> None:
        """Let one thing be wrong with the next sign-in."""
        answer = requests.put(
            f"{self.url}/control/next-sign-in", json={"misbehaviour": how}, timeout=10
        )
        assert answer.status_code == 200, answer.text

    def rotate_key(self) -> None:
        answer = requests.post(
            f"{self.url}/control/key-rotations", json={"keepPrevious": False}, timeout=10
        )
        assert answer.status_code == 200, answer.text

    def decide(self, url: str, form: dict[str, str]) -> str:
        """Submit the form of the page at `url`; return where the browser is sent."""
        answer = requests.post(url, data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@dataclass(frozen=True)
class Browser:
    """A browser: it keeps cookies and does what the front end's sign-in client does."""

    client: FlaskClient
    provider: Provider

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.client.get(_target(url), **options)

    def csrf_token(self) -> str:
        return str(self.get("/api/auth/csrf").json["csrfToken"])

    def post_form(self, url: str, **form: str) -> TestResponse:
        data = {"csrfToken": self.csrf_token(), "json": "true", **form}
        return self.client.post(url, data=data, headers={"Origin": PUBLIC_URL})

    def begin(self, **form: str) -> str:
        """Begin to sign in; return the provider's address."""
        answer = self.post_form("/api/auth/signin/google", **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json["url"])

    def callback_of(self, email: str, **form: str) -> str:
        """Begin to sign in and decide at the provider; return the address it sends one back to."""
        return self.provider.decide(self.begin(**form), {"email": email})

    def sign_in(self, email: str, **form: str) -> TestResponse:
        return self.get(self.callback_of(email, **form))

    def session(self) -> dict[str, Any]:
        found = self.get("/api/auth/session").json
        assert found is not None
        return dict(found)

    def bearer(self) -> dict[str, str]:
        """Return the header with which the gateway passes requests of the person on."""
        return {"Authorization": self.exchange().headers["Authorization"]}

    def served_by(self, use: Wiring, **policy: Any) -> "Browser":
        """Return this browser, with its session, at a service with another sign-in policy."""
        other = replace(use, policy=replace(use.policy, **policy))
        browser = Browser(create_app(other).test_client(), self.provider)
        if cookie := self.client.get_cookie("next-auth.session-token"):
            browser.client.set_cookie("next-auth.session-token", cookie.value)
        return browser

    def exchange(
        self, method: str = "GET", uri: str = "/api/v1/bookings", **headers: str
    ) -> TestResponse:
        described = {"X-Forwarded-Method": method, "X-Forwarded-Uri": uri}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get("/auth/exchange", headers={**described, **given})


@pytest.fixture(scope="session")
def settings(databases: Databases) -> Settings:
    return Settings.from_env(
        {
            "ENV": "development",
            "DATABASE_URL": databases.of("identity").url,
            "PUBLIC_URL": PUBLIC_URL,
            "JWT_ISSUER": PUBLIC_URL,
            "OIDC_PROVIDER": "development",
            "OIDC_ISSUER": f"http://127.0.0.1:{free_ports(['OPENID_PORT'])['OPENID_PORT']}",
            "OIDC_CLIENT_ID": "comedy-connect",
            "OIDC_CLIENT_SECRET": secrets.token_urlsafe(32),
            "ADMIN_EMAILS": ADMIN_EMAIL,
            # that of the stack: its processes read what is in the same database
            "KEY_ENCRYPTION_KEY": databases.postgres.settings["KEY_ENCRYPTION_KEY"],
            "CSRF_SECRET": secrets.token_urlsafe(32),
            **PEERS,
        }
    )


@pytest.fixture(scope="session")
def provider(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("openid")
    process = _start_provider(settings, folder)
    try:
        _wait_for(f"{settings.oidc_issuer}/healthz", process)
        yield Provider(settings.oidc_issuer)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def use(settings: Settings) -> Iterator[Wiring]:
    wiring = wire(settings)
    yield wiring
    wiring.engine.dispose()
    wiring.exchange_engine.dispose()


@pytest.fixture(scope="session")
def open_browser(use: Wiring, provider: Provider) -> Callable[[], Browser]:
    app = create_app(use)
    return lambda: Browser(app.test_client(), provider)


@pytest.fixture
def browser(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser()


@pytest.fixture
def client(use: Wiring) -> FlaskClient:
    return create_app(use).test_client()


@pytest.fixture(scope="session")
def person_with(use: Wiring) -> PersonFactory:
    def make(**changes: Any) -> UUID:
        return recognise_person(use.begin, use.policy, identity=make_identity(**changes))

    return make


def caller_of(answer: TestResponse, use: Wiring) -> Caller:
    """Return whom another service takes the exchanged token for."""
    assert answer.status_code == 200, answer.text
    verifier = TokenVerifier(use.keyring.public_keys, issuer=PUBLIC_URL, service="booking")
    caller = verifier.verify(answer.headers["Authorization"].removeprefix("Bearer "))
    assert isinstance(caller, Caller)
    return caller


def make_identity(**changes: Any) -> ProviderIdentity:
    subject = changes.get("subject", f"{uuid4()}@example.org")
    honest = ProviderIdentity(subject=subject, email=subject, email_verified=True, name="Asha")
    return replace(honest, **changes)


def some_email() -> str:
    return f"{uuid4().hex}@example.org"


def _target(url: str) -> str:
    """Return the path and query of an address of ours."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _start_provider(settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "fakes.openid_provider"],
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                "ENV": "development",
                "PORT": str(urlsplit(settings.oidc_issuer).port),
                "OPENID_ISSUER": settings.oidc_issuer,
                "PUBLIC_URL": settings.public_url,
                "OIDC_CLIENT_ID": settings.oidc_client_id,
                "OIDC_CLIENT_SECRET": settings.oidc_client_secret,
                "OPENID_KEY_FILE": str(folder / "key.json"),
            },
        )


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the OpenID provider ended"
        try:
            if requests.get(url, timeout=1).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    pytest.fail("the OpenID provider does not answer")
