"""Uploaded images in a bucket of an S3-compatible store."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from catalog_service.domain.errors import StorageUnavailable
from catalog_service.domain.media import MEDIA_TYPE
from catalog_service.settings import S3Media

CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0
ATTEMPTS = 2
POOL_CONNECTIONS = 32


class S3Bucket:
    """A bucket; credentials come from where AWS clients look for them (variables, role)."""

    def __init__(self, settings: S3Media, *, read_seconds: float = READ_SECONDS) -> None:
        self._bucket = settings.bucket
        # a store of one's own has no host name for each bucket
        addressing = "auto" if settings.endpoint is None else "path"
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=read_seconds,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                max_pool_connections=POOL_CONNECTIONS,
                signature_version="s3v4",
                s3={"addressing_style": addressing},
                # the newer checksums are not known to every compatible store
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, content: bytes) -> None:
        """Store an object; S3 shows all of it or nothing."""
        self._ask("put_object", key, Body=content, ContentType=MEDIA_TYPE)

    def get(self, key: str) -> bytes | None:
        """Read an object."""
        answer = self._ask("get_object", key)
        if answer is None:
            return None
        try:
            content: bytes = answer["Body"].read()
        except (BotoCoreError, OSError) as error:
            raise StorageUnavailable from error
        return content

    def delete(self, key: str) -> None:
        """Delete an object; S3 agrees if there is none."""
        self._ask("delete_object", key)

    def _ask(self, operation: str, key: str, **options: Any) -> Any:
        """Return the answer, None if there is no such object."""
        try:
            return getattr(self._client, operation)(Bucket=self._bucket, Key=key, **options)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise StorageUnavailable from error
        except BotoCoreError as error:
            raise StorageUnavailable from error
