"""Makes the secrets of an installation, a file each; what is there already stays as it is.

    python3 deploy/compose/make_secrets.py secrets [--database database:5432] [--development]

Keep the folder: without `key_encryption_key`, `ticket_key_encryption_key` and `erasure_key` a
backup of the database is worth little. Standard library only.
"""

import argparse
import base64
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

SERVICES = ("identity", "catalog", "booking", "config")
DATABASE = "comedy_connect"

ROLES = (*SERVICES, *(f"{service}_owner" for service in SERVICES), "auditor")
ENCRYPTION_KEYS = ("key_encryption_key", "ticket_key_encryption_key")
RANDOM = (
    "postgres_password",
    *(f"{role}_db_password" for role in ROLES),
    *(f"{service}_client_secret" for service in SERVICES),
    "csrf_secret",
    "erasure_key",
    "razorpay_webhook_secrets",
    "grafana_admin_password",
)
FROM_OTHERS = {
    "oidc_client_secret": "what the OpenID provider gave the platform",
    "razorpay_key_secret": "with PAYMENTS=razorpay: the secret of the merchant's key",
    "media_s3_credentials": "with MEDIA_STORAGE=s3: an AWS credentials file",
    "smtp_password": "with a user in MAIL_URL: that user's password at the mail server",
}
STAND_INS = {
    "media_s3_credentials": "[default]\naws_access_key_id = development\n"
    "aws_secret_access_key = development\n"
}


def main() -> None:
    """Read the command line and say what was made and what is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database", default="database:5432", help="host:port of Postgres")
    parser.add_argument("--development", action="store_true", help="for stand-ins of the others")
    asked = parser.parse_args()
    made = make_secrets(asked.folder, database=asked.database, development=asked.development)
    say(f"{asked.folder}: {made} files made, the others were there")
    for name, meaning in FROM_OTHERS.items():
        if not (asked.folder / name).read_text():
            say(f"  fill in {asked.folder / name}: {meaning}")


def make_secrets(folder: Path, *, database: str, development: bool) -> int:
    """Make the files that are missing and return how many.

    Only the folder keeps people of this machine out: containers, which run as users of their own,
    are handed single files and must be able to read them.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing = {
        name: value
        for name, value in (_generated() | _given_by_others(development)).items()
        if not (folder / name).exists()
    }
    _write(folder, missing)
    urls = {
        name: url
        for name, url in _database_urls(folder, database).items()
        if not (folder / name).exists()
    }
    _write(folder, urls)
    return len(missing) + len(urls)


def _generated() -> dict[str, str]:
    keys = {name: base64.urlsafe_b64encode(secrets.token_bytes(32)) for name in ENCRYPTION_KEYS}
    return {
        **{name: secrets.token_urlsafe(32) for name in RANDOM},
        **{name: key.decode() for name, key in keys.items()},
    }


def _given_by_others(development: bool) -> dict[str, str]:
    if not development:
        return dict.fromkeys(FROM_OTHERS, "")
    return {name: secrets.token_urlsafe(32) for name in FROM_OTHERS} | STAND_INS


def _database_urls(folder: Path, database: str) -> dict[str, str]:
    def url(role: str) -> str:
        password = quote((folder / f"{role}_db_password").read_text(), safe="")
        return f"postgresql://{role}:{password}@{database}/{DATABASE}"

    return {
        **{f"{service}_database_url": url(service) for service in SERVICES},
        **{f"{service}_migration_database_url": url(f"{service}_owner") for service in SERVICES},
    }


def _write(folder: Path, contents: Mapping[str, str]) -> None:
    for name, content in contents.items():
        draft = folder / f".{name}.new"
        draft.write_text(content)
        draft.chmod(0o644)
        os.replace(draft, folder / name)


def say(text: str) -> None:
    """Tell the person who asked."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
