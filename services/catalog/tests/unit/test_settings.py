from pathlib import Path

import pytest

from catalog_service.settings import LocalMedia, S3Media, Settings, WorkerSettings
from service_kit.settings import SettingsError


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as problem:
        Settings.from_env({"SERVICE_CLIENT_SECRET": "weak"})

    for name in (
        "DATABASE_URL",
        "IDENTITY_URL",
        "BOOKING_URL",
        "JWT_ISSUER",
        "CLIENT_SECRET",
        "ERASURE_KEY",
        "MEDIA_DIR",
    ):
        assert name in str(problem.value)


def test_a_worker_has_a_name_of_its_own_by_default() -> None:
    settings = WorkerSettings.from_env({"WORKER_PORT": "8122"})

    assert settings.worker_id.startswith("catalog@")


COMPLETE = {
    "DATABASE_URL": "postgresql://catalog@localhost/x",
    "IDENTITY_URL": "http://identity:8000",
    "BOOKING_URL": "http://booking:8000",
    "JWT_ISSUER": "http://localhost:8080",
    "SERVICE_CLIENT_ID": "catalog",
    "SERVICE_CLIENT_SECRET": "0123456789abcdefghijklmnopqrstuvwxyz",
    "ERASURE_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
}


def test_uploads_are_kept_in_a_directory_or_in_a_bucket() -> None:
    bucket = {"MEDIA_STORAGE": "s3", "MEDIA_S3_BUCKET": "media"}
    own_store = {**bucket, "MEDIA_S3_ENDPOINT": "http://minio:9000/", "MEDIA_S3_REGION": "x"}

    def media(**changes: str) -> object:
        return Settings.from_env({**COMPLETE, **changes}).media

    assert media(MEDIA_DIR="/media") == LocalMedia(Path("/media"))
    assert media(**bucket) == S3Media("media", endpoint=None, region="us-east-1")
    assert media(**own_store) == S3Media("media", endpoint="http://minio:9000", region="x")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"MEDIA_STORAGE": "ftp"}, "MEDIA_STORAGE"),
        ({"MEDIA_STORAGE": "s3"}, "MEDIA_S3_BUCKET"),
        ({"MEDIA_STORAGE": "s3", "MEDIA_S3_BUCKET": "x", "MEDIA_S3_ENDPOINT": "x"}, "ENDPOINT"),
    ],
)
def test_a_storage_that_is_not_described_stops_the_boot(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.from_env({**COMPLETE, **wrong})
