"""An S3 server with one bucket, all of it in memory: `python -m fakes.s3`, see `Dockerfile`."""

import os
import signal
import sys

import boto3
from moto.server import ThreadedMotoServer


def main() -> None:
    """Serve until SIGTERM or SIGINT; the bucket is there as soon as the server answers for it."""
    if os.environ.get("ENV") != "development":
        sys.exit("What is stored here is forgotten: this server runs with ENV=development only.")
    bind, port = os.environ.get("BIND") or "127.0.0.1", int(os.environ["PORT"])
    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)  # in the threads to come as well
    server = ThreadedMotoServer(ip_address=bind, port=port, verbose=False)
    server.start()
    _create_bucket(f"http://127.0.0.1:{port}", os.environ["S3_BUCKET"])
    signal.sigwait(stopping)
    server.stop()


def _create_bucket(url: str, name: str) -> None:
    session = boto3.session.Session("development", "development")
    client = session.client("s3", endpoint_url=url, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    client.close()


if __name__ == "__main__":
    main()
