"""What the service refuses to start with."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from identity_service.domain.service_clients import GRANTS
from identity_service.settings import ClientSettings, Settings, WorkerSettings
from service_kit.settings import SettingsError

STRONG = "f3Jk29sLq8Zx7Vb1Nm5Tp0Wc6Rd4Yh2G"
DEVELOPMENT = {
    "ENV": "development",
    "DATABASE_URL": "postgresql://identity:x@127.0.0.1/comedy_connect",
    "PUBLIC_URL": "http://localhost:8080/",
    "JWT_ISSUER": "http://localhost:8080",
    "OIDC_PROVIDER": "development",
    "OIDC_ISSUER": "http://127.0.0.1:8110",
    "OIDC_CLIENT_ID": "comedy-connect",
    "OIDC_CLIENT_SECRET": STRONG,
    "ADMIN_EMAILS": "Admin@Comedy.example, , other@comedy.example",
    "KEY_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "CSRF_SECRET": STRONG,
    "IDENTITY_URL": "http://127.0.0.1:8101",
    "CATALOG_URL": "http://127.0.0.1:8102",
    "BOOKING_URL": "http://127.0.0.1:8103",
    "CONFIG_URL": "http://127.0.0.1:8104",
    "SERVICE_CLIENT_ID": "identity",
    "SERVICE_CLIENT_SECRET": STRONG,
    "ERASURE_KEY": STRONG,
}
PRODUCTION = DEVELOPMENT | {
    "ENV": "production",
    "PUBLIC_URL": "https://comedy.example",
    "OIDC_PROVIDER": "google",
    "OIDC_ISSUER": "https://accounts.google.com",
}


def test_development_runs_over_plain_http_on_loopback() -> None:
    settings = Settings.from_env(DEVELOPMENT)

    assert settings.public_url == "http://localhost:8080"
    assert settings.secure is False
    assert settings.origins == {"http://localhost:8080"}
    assert settings.admin_emails == {"admin@comedy.example", "other@comedy.example"}


def test_production_runs_over_https() -> None:
    settings = Settings.from_env(PRODUCTION | {"ALLOWED_ORIGINS": "https://www.comedy.example"})

    assert settings.secure is True
    assert settings.origins == {"https://comedy.example", "https://www.comedy.example"}


def test_an_unnamed_environment_counts_as_production() -> None:
    unnamed = {name: value for name, value in DEVELOPMENT.items() if name != "ENV"}

    with pytest.raises(SettingsError, match="PUBLIC_URL must be https"):
        Settings.from_env(unnamed)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("PUBLIC_URL", "http://comedy.example", "PUBLIC_URL must be https"),
        ("PUBLIC_URL", "http://localhost:8080", "PUBLIC_URL must be https"),
        ("PUBLIC_URL", "https://comedy.example/app", "PUBLIC_URL must not have a path"),
        ("PUBLIC_URL", "https://user@comedy.example", "PUBLIC_URL must be an http or https"),
        ("OIDC_ISSUER", "http://accounts.google.com", "OIDC_ISSUER must be https"),
        ("OIDC_PROVIDER", "development", "OIDC_PROVIDER=development signs in anybody"),
        ("CSRF_SECRET", "short", "CSRF_SECRET is too weak"),
        ("CSRF_SECRET", "x" * 64, "CSRF_SECRET is too weak"),
        ("OIDC_CLIENT_SECRET", "short", "OIDC_CLIENT_SECRET is too weak"),
        ("KEY_ENCRYPTION_KEY", "short", "KEY_ENCRYPTION_KEY must be"),
        ("KEY_ENCRYPTION_KEY", "", "KEY_ENCRYPTION_KEY is not set"),
        ("ALLOWED_ORIGINS", "https://x.example/", "ALLOWED_ORIGINS must list origins"),
        ("ALLOWED_ORIGINS", "*", "ALLOWED_ORIGINS must list origins"),
        ("ALLOWED_ORIGINS", "https://a.example,https://b.example", "separated by spaces"),
        ("ENV", "staging", "ENV must be one of"),
    ],
)
def test_production_refuses_to_start_with(name: str, value: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Settings.from_env(PRODUCTION | {name: value})


def test_development_refuses_plain_http_beyond_loopback() -> None:
    with pytest.raises(SettingsError, match="PUBLIC_URL must be https unless"):
        Settings.from_env(DEVELOPMENT | {"PUBLIC_URL": "http://192.168.1.5:8080"})


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env({})

    for name in ("DATABASE_URL", "PUBLIC_URL", "OIDC_ISSUER", "CSRF_SECRET", "KEY_ENCRYPTION_KEY"):
        assert f"{name} is not set" in str(refusal.value)


def test_the_worker_needs_none_of_the_secrets_of_the_sign_in() -> None:
    secrets = ("OIDC_CLIENT_SECRET", "KEY_ENCRYPTION_KEY", "CSRF_SECRET")
    told = {name: value for name, value in DEVELOPMENT.items() if name not in secrets}

    settings = WorkerSettings.from_env(
        {**told, "WORKER_PORT": "8121", "ERASURE_JOURNAL": "/srv/journal"}
    )

    assert settings.port == 8121
    assert settings.holders.urls == {
        "booking": "http://127.0.0.1:8103",
        "catalog": "http://127.0.0.1:8102",
        "config": "http://127.0.0.1:8104",
    }
    assert settings.erasure_journal == Path("/srv/journal")


def test_without_a_journal_of_the_deleted_no_worker_starts() -> None:
    with pytest.raises(SettingsError, match="ERASURE_JOURNAL is not set"):
        WorkerSettings.from_env({**DEVELOPMENT, "WORKER_PORT": "8121"})


def test_new_signing_keys_are_looked_for_as_often_as_a_rotation_reckons_with() -> None:
    assert Settings.from_env(DEVELOPMENT).key_refresh == timedelta(seconds=30)
    with pytest.raises(SettingsError, match="KEY_REFRESH_SECONDS must be at most 30"):
        Settings.from_env(DEVELOPMENT | {"KEY_REFRESH_SECONDS": "31"})


def test_the_encryption_key_can_be_several_of_which_each_must_be_one() -> None:
    new, old = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    settings = Settings.from_env(DEVELOPMENT | {"KEY_ENCRYPTION_KEY": f"{new}, {old}"})

    assert settings.key_encryption_keys == (new, old)
    for wrong in (f"{new},", f"{new},short", f"{new}{old}"):
        with pytest.raises(SettingsError, match="KEY_ENCRYPTION_KEY must be 32 random bytes"):
            Settings.from_env(DEVELOPMENT | {"KEY_ENCRYPTION_KEY": wrong})


def test_every_client_needs_a_strong_secret() -> None:
    secrets = {f"{name.upper()}_CLIENT_SECRET": STRONG for name in GRANTS}
    environ = {"DATABASE_URL": DEVELOPMENT["DATABASE_URL"], **secrets}

    assert ClientSettings.from_env(environ, GRANTS).secrets == dict.fromkeys(GRANTS, STRONG)
    with pytest.raises(SettingsError, match="BOOKING_CLIENT_SECRET is too weak"):
        ClientSettings.from_env({**environ, "BOOKING_CLIENT_SECRET": "booking"}, GRANTS)
    with pytest.raises(SettingsError, match="CONFIG_CLIENT_SECRET is not set"):
        ClientSettings.from_env({**environ, "CONFIG_CLIENT_SECRET": ""}, GRANTS)
