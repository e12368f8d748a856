import pytest

from catalog_service.settings import Settings, WorkerSettings
from service_kit.settings import SettingsError


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as problem:
        Settings.from_env({"SERVICE_CLIENT_SECRET": "weak"})

    for name in ("DATABASE_URL", "IDENTITY_URL", "BOOKING_URL", "JWT_ISSUER", "CLIENT_SECRET"):
        assert name in str(problem.value)


def test_a_worker_has_a_name_of_its_own_by_default() -> None:
    settings = WorkerSettings.from_env({"WORKER_PORT": "8122"})

    assert settings.worker_id.startswith("catalog@")
