"""The commands and the worker, as an operator runs them."""

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient
from services.identity.tests.conftest import ADMIN_EMAIL, PEERS, PersonFactory

from devstack.ports import free_ports
from devstack.testing import Databases, eventually
from identity_service.domain.service_clients import GRANTS
from identity_service.settings import Settings
from identity_service.wiring import Wiring

FOLDER = Path(__file__).parents[2]
SECRETS = {
    f"{name.upper()}_CLIENT_SECRET": f"{name}-3Jk29sLq8Zx7Vb1Nm5Tp0W" + name for name in GRANTS
}


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    told = {
        "ENV": settings.env,
        "DATABASE_URL": settings.database_url,
        "PUBLIC_URL": settings.public_url,
        "JWT_ISSUER": settings.jwt_issuer,
        "OIDC_PROVIDER": settings.oidc_provider,
        "OIDC_ISSUER": settings.oidc_issuer,
        "OIDC_CLIENT_ID": settings.oidc_client_id,
        "OIDC_CLIENT_SECRET": settings.oidc_client_secret,
        "ADMIN_EMAILS": ",".join(settings.admin_emails),
        "KEY_ENCRYPTION_KEY": ",".join(settings.key_encryption_keys),
        "CSRF_SECRET": settings.csrf_secret,
        **PEERS,
        **SECRETS,
    }
    return {**os.environ, **told, **changes}


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "identity_service.cli", *command],
        cwd=FOLDER,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_seeding_says_in_one_line_what_there_is_now(settings: Settings) -> None:
    done = run("seed", env=environment(settings))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "identity: 18 people, 4 service clients\n"


def test_people_are_not_seeded_in_production(settings: Settings) -> None:
    production = {
        "ENV": "production",
        "PUBLIC_URL": "https://comedy.example",
        "OIDC_ISSUER": "https://accounts.google.com",
        "OIDC_PROVIDER": "google",
    }

    done = run("seed", env=environment(settings, **production))

    assert done.returncode == 1
    assert "with ENV=development only" in done.stderr


def test_service_clients_are_seeded_in_production_with_nothing_but_their_secrets(
    settings: Settings,
) -> None:
    environ = {**os.environ, **SECRETS, "DATABASE_URL": settings.database_url}

    done = run("seed-clients", env=environ)

    assert (done.returncode, done.stdout) == (0, "identity: 4 service clients\n")


def test_an_operator_replaces_the_encryption_key(settings: Settings, use: Wiring) -> None:
    use.keyring.jwks()
    environ = environment(settings)

    done = run("reencrypt-keys", env=environ)
    other = run("reencrypt-keys", env=environ | {"KEY_ENCRYPTION_KEY": "A" * 43 + "="})

    assert done.returncode == 0, done.stderr
    assert "signing keys are encrypted with the first key" in done.stdout
    assert other.returncode == 1
    assert "no key in KEY_ENCRYPTION_KEY opens the stored keys" in other.stderr


def test_an_operator_has_a_forgotten_password_chosen_anew(
    settings: Settings, person_with: PersonFactory
) -> None:
    person_with(subject=ADMIN_EMAIL)
    environ = {**os.environ, "DATABASE_URL": settings.database_url}

    done = run("reset-admin-password", ADMIN_EMAIL, env=environ)
    unknown = run("reset-admin-password", "nobody@comedy.example", env=environ)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("identity: passwords reset: ")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "identity: nobody@comedy.example is no administrator\n"


def test_an_operator_has_standings_told_again(settings: Settings) -> None:
    environ = {**os.environ, "DATABASE_URL": settings.database_url}

    done = run("send-standings", env=environ)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" standings are told again\n")


def test_deletions_are_not_replayed_under_another_key(
    settings: Settings, client: FlaskClient, tmp_path: Path
) -> None:
    assert client.get("/readyz").status_code == 200  # the first use of the key
    another = {"ERASURE_KEY": secrets.token_urlsafe(32), "ERASURE_JOURNAL": str(tmp_path)}

    done = run("replay-deletions", env=environment(settings, **another))

    assert done.returncode == 1
    assert "put ERASURE_KEY back to what it was" in done.stderr


def test_the_committed_document_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "identity_service.cli", "openapi", "--check"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_the_worker_says_that_it_is_ready_and_ends_when_told(
    databases: Databases, tmp_path: Path
) -> None:
    port = free_ports(["WORKER_PORT"])["WORKER_PORT"]
    worker = subprocess.Popen(
        [sys.executable, "-m", "identity_service.worker"],
        env={
            **os.environ,
            "DATABASE_URL": databases.of("identity").url,
            "WORKER_PORT": port,
            "ERASURE_JOURNAL": str(tmp_path),
            **PEERS,
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/readyz")
        metrics = f"http://127.0.0.1:{port}/metrics"
        purged = 'timer_runs_total{outcome="ok",task="purge-expired"}'
        eventually(lambda: purged in requests.get(metrics, timeout=5).text)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


def _wait_until_ready(url: str) -> None:
    for _ in range(100):
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail("the worker is not ready")
