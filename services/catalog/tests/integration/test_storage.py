"""Both places in which uploads are kept, one of them a real S3 server, and their failures."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
import requests

from catalog_service.clients.s3 import S3Bucket
from catalog_service.clients.storage import LocalDirectory, Storage
from catalog_service.domain.actors import Actor
from catalog_service.domain.deletions import DeletionState
from catalog_service.domain.errors import StorageFull, StorageUnavailable
from catalog_service.domain.media import MediaKind
from catalog_service.settings import S3Media
from catalog_service.usecases.purge_person import purge_person
from catalog_service.usecases.upload_image import upload_image
from catalog_service.wiring import Wiring
from devstack.ports import free_ports

BUCKET = "media"
PATIENCE_SECONDS = 60
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """An S3 server of its own process, with an empty bucket."""
    port = free_ports(["S3"])["S3"]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _answers(url):
            assert server.poll() is None, "the S3 server ended"
            assert time.monotonic() < deadline, "the S3 server does not answer"
            time.sleep(0.1)
        store = boto3.session.Session("test", "test").client(
            "s3", endpoint_url=url, region_name="us-east-1"
        )
        store.create_bucket(Bucket=BUCKET)
        store.close()
        yield url
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/moto-api/", timeout=1).ok
    except requests.RequestException:
        return False


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def bucket_at(url: str, *, bucket: str = BUCKET) -> S3Bucket:
    return S3Bucket(S3Media(bucket=bucket, endpoint=url, region="us-east-1"), read_seconds=0.5)


@pytest.fixture(params=["directory", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "directory":
        return LocalDirectory(tmp_path / "media")
    request.getfixturevalue("credentials")
    return bucket_at(request.getfixturevalue("s3_url"))


def a_key() -> str:
    return f"{uuid4().hex}.webp"


def test_what_is_stored_is_read_until_it_is_deleted(storage: Storage) -> None:
    key, other = a_key(), a_key()

    storage.put(key, b"one\0\xff")
    storage.put(other, b"two")
    assert (storage.get(key), storage.get(other)) == (b"one\0\xff", b"two")

    storage.delete(key)
    storage.delete(key)
    assert (storage.get(key), storage.get(other)) == (None, b"two")


def test_many_store_and_read_at_the_same_time(storage: Storage) -> None:
    def there_and_back(number: int) -> bool:
        key, content = a_key(), bytes([number]) * 100_000
        storage.put(key, content)
        return storage.get(key) == content

    with ThreadPoolExecutor(8) as people:
        assert all(people.map(there_and_back, range(24)))


def test_a_person_who_is_purged_leaves_nothing_in_it(
    use: Wiring, storage: Storage, picture: Callable[..., bytes]
) -> None:
    person, other = (Actor(id=uuid4(), role="AUDIENCE", approved=False) for _ in range(2))
    goes, stays = (
        upload_image(
            use.begin,
            use.images,
            storage,
            actor=actor,
            kind=MediaKind.PROFILE,
            content=picture(),
        )
        for actor in (person, other)
    )
    assert storage.get(goes.key) is not None

    deletion = purge_person(use.begin, storage, saga_id=uuid4(), person_id=person.id)

    assert deletion.state is DeletionState.PURGED
    assert storage.get(goes.key) is None
    assert storage.get(stays.key) is not None


# ── a directory


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_so_and_leaves_no_half_file(tmp_path: Path) -> None:
    storage, key = LocalDirectory(tmp_path), a_key()
    (tmp_path / f"{key}.part").symlink_to("/dev/full")

    with pytest.raises(StorageFull):
        storage.put(key, b"content")

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_none_is_unavailable(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no directory")
    storage = LocalDirectory(in_the_way)

    with pytest.raises(StorageUnavailable):
        storage.put(a_key(), b"x")
    with pytest.raises(StorageUnavailable):
        storage.get(a_key())
    with pytest.raises(StorageUnavailable):
        storage.delete(a_key())


def test_a_reader_never_sees_part_of_a_file_and_a_killed_writers_part_is_deleted(
    tmp_path: Path,
) -> None:
    storage, key = LocalDirectory(tmp_path), a_key()
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from catalog_service.clients.storage import LocalDirectory\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "LocalDirectory(Path(sys.argv[1])).put(sys.argv[2], b'content')\n"
    )

    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, str(tmp_path), key], check=False
    )

    assert done.returncode < 0
    assert storage.get(key) is None
    assert [file.name for file in tmp_path.iterdir()] == [f"{key}.part"]
    storage.delete(key)
    assert list(tmp_path.iterdir()) == []


# ── a bucket


@pytest.mark.usefixtures("credentials")
def test_a_store_that_is_down_is_unavailable(s3_url: str) -> None:
    nobody = f"http://127.0.0.1:{free_ports(['S3'])['S3']}"

    for storage in (bucket_at(nobody), bucket_at(s3_url, bucket="no-such-bucket")):
        with pytest.raises(StorageUnavailable):
            storage.put(a_key(), b"x")
        with pytest.raises(StorageUnavailable):
            storage.get(a_key())
        with pytest.raises(StorageUnavailable):
            storage.delete(a_key())


class BrokenStore(BaseHTTPRequestHandler):
    """Answers the first half of an object, or an error, or nothing at all."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")

    def do_PUT(self) -> None:
        self.send_response(500)
        self.end_headers()

    def do_DELETE(self) -> None:
        released.wait(PATIENCE_SECONDS)

    def log_message(self, *_: object) -> None:
        pass


released = threading.Event()


@pytest.mark.usefixtures("credentials")
def test_a_store_that_breaks_off_fails_or_freezes_is_unavailable() -> None:
    server = HTTPServer(("127.0.0.1", 0), BrokenStore)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    storage = bucket_at(f"http://127.0.0.1:{server.server_port}")
    try:
        with pytest.raises(StorageUnavailable):
            storage.get(a_key())
        with pytest.raises(StorageUnavailable):
            storage.put(a_key(), b"x")
        with pytest.raises(StorageUnavailable):
            storage.delete(a_key())
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def test_without_credentials_a_bucket_is_unavailable(
    s3_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(StorageUnavailable):
        bucket_at(s3_url).get(a_key())
