import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import requests

from devstack.ports import free_ports
from devstack.testing import eventually


@contextmanager
def running(**environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "fakes.s3"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.terminate()


def test_the_bucket_is_there_once_the_server_answers() -> None:
    port = free_ports(["PORT"])["PORT"]
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.get(f"{url}/media", timeout=1).ok
        except requests.ConnectionError:
            return False

    with running(ENV="development", PORT=port, S3_BUCKET="media") as server:
        eventually(answers)
        client = boto3.session.Session("any", "one").client(
            "s3", endpoint_url=url, region_name="us-east-1"
        )
        client.put_object(Bucket="media", Key="poster", Body=b"content")
        assert client.get_object(Bucket="media", Key="poster")["Body"].read() == b"content"
        client.close()

    assert server.returncode == 0


def test_nobody_keeps_uploads_there_outside_of_development() -> None:
    with running(ENV="production", PORT="9", S3_BUCKET="media") as server:
        assert server.wait() == 1
        assert server.stderr is not None
        assert "ENV=development only" in server.stderr.read()
