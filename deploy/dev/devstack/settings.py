"""Ports, URLs and secrets: from the environment, otherwise a default or generated once."""

import base64
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from devstack.errors import StackError
from devstack.ports import LOOPBACK, free_ports

CHECKOUT = Path(__file__).resolve().parents[3]
DATABASE = "comedy_connect"
SECRETS_FILE = "secrets.env"
JOURNAL_FOLDER = "erasure-journal"

SERVICES = ("identity", "config", "catalog", "booking")  # in the order of seeding
SERVICES_WITH_WORKER = ("identity", "catalog", "booking")

PORTS = {
    "PORT": 8080,
    "GATEWAY_METRICS_PORT": 8081,
    "IDENTITY_PORT": 8101,
    "CATALOG_PORT": 8102,
    "BOOKING_PORT": 8103,
    "CONFIG_PORT": 8104,
    "OPENID_PORT": 8110,
    "RAZORPAY_PORT": 8111,
    "IDENTITY_WORKER_PORT": 8121,
    "CATALOG_WORKER_PORT": 8122,
    "BOOKING_WORKER_PORT": 8123,
    "PG_PORT": 54320,
}

_PASSWORD_OF_ROLE = {
    "postgres": "POSTGRES_PASSWORD",
    "auditor": "AUDITOR_DB_PASSWORD",
    **{service: f"{service.upper()}_DB_PASSWORD" for service in SERVICES},
    **{f"{service}_owner": f"{service.upper()}_OWNER_DB_PASSWORD" for service in SERVICES},
}
ROLES = tuple(_PASSWORD_OF_ROLE)

_SECRETS = (
    *_PASSWORD_OF_ROLE.values(),
    *(f"{service.upper()}_CLIENT_SECRET" for service in SERVICES),
    "OIDC_CLIENT_SECRET",
    "RAZORPAY_KEY_SECRET",
    "RAZORPAY_WEBHOOK_SECRETS",
    "CSRF_SECRET",
    "KEY_ENCRYPTION_KEY",
    "TICKET_KEY_ENCRYPTION_KEY",
    "ERASURE_KEY",
)


_SETTING = re.compile(
    r"(\w+_)?(PORT|URL|SECRET|PASSWORD|ISSUER)"
    r"|ENV|OIDC_PROVIDER|OIDC_CLIENT_ID|ADMIN_EMAILS|(TICKET_)?KEY_ENCRYPTION_KEY|RUN_DIR|MEDIA_(DIR|STORAGE)"
    r"|ERASURE_(KEY|JOURNAL)|MAIL_FROM"
    r"|FRONTEND|PAYMENTS|RAZORPAY_KEY_ID|RAZORPAY_WEBHOOK_SECRETS|RECONCILE_AFTER_SECONDS"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configurable about one stack, and the folder that holds what it leaves behind."""

    run_dir: Path
    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def ports(self) -> dict[str, int]:
        """Every port of the stack, by the variable that sets it."""
        return {name: int(self.values[name]) for name in PORTS}

    def password(self, role: str) -> str:
        """Return a database role's password."""
        return self.values[_PASSWORD_OF_ROLE[role]]

    def database_url(self, role: str) -> str:
        """Return the URL under which a role reaches the database of the stack."""
        password = quote(self.password(role), safe="")
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self.values['PG_PORT']}/{DATABASE}"

    @property
    def passwords(self) -> dict[str, str]:
        """The password variables that `deploy/postgres/roles.sql` reads."""
        return {name: self.values[name] for name in _PASSWORD_OF_ROLE.values()}


def beside_others(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for one more stack: free ports, and no setting of the caller's."""
    kept = {n: value for n, value in environment.items() if not _SETTING.fullmatch(n)}
    return kept | free_ports(PORTS)


def resolve(run_dir: Path, environment: Mapping[str, str]) -> Settings:
    """Decide every setting of the stack in `run_dir`, generating secrets that nobody set.

    Generated secrets are stored in `run_dir/secrets.env`, readable by its owner only, and are the
    same ever after. An empty variable counts as absent.

    Raises:
        StackError: a port is not a number from 1 to 65535, or two ports are the same.
    """
    given = {name: value for name, value in environment.items() if value}
    values = {name: given.get(name, str(default)) for name, default in PORTS.items()}
    _require_ports(values)
    values |= {
        "ENV": "development",
        "LOG_LEVEL": "INFO",
        "PUBLIC_URL": f"http://localhost:{values['PORT']}",
        **{
            f"{x.upper()}_URL": f"http://{LOOPBACK}:{values[f'{x.upper()}_PORT']}" for x in SERVICES
        },
        "OPENID_ISSUER": f"http://{LOOPBACK}:{values['OPENID_PORT']}",
        "OIDC_PROVIDER": "development",
        "OIDC_CLIENT_ID": "comedy-connect",
        "ADMIN_EMAILS": "admin@comedy.example",
        "MEDIA_STORAGE": "local",
        "MEDIA_DIR": str(run_dir / "media"),
        "ERASURE_JOURNAL": str(run_dir / JOURNAL_FOLDER),
        "MAIL_URL": (run_dir / "mail").as_uri(),
        "MAIL_FROM": "Comedy Connect <tickets@comedy.example>",
        "SMTP_PASSWORD": "",
        "PAYMENTS": "none",
        "RAZORPAY_KEY_ID": "rzp_test_comedyconnect",
        "RAZORPAY_BASE_URL": f"http://{LOOPBACK}:{values['RAZORPAY_PORT']}",
        "RECONCILE_AFTER_SECONDS": "780",
        "FRONTEND": "",
    }
    values |= {name: given[name] for name in values.keys() & given.keys()}
    values |= {
        "OIDC_ISSUER": given.get("OIDC_ISSUER", values["OPENID_ISSUER"]),
        "JWT_ISSUER": given.get("JWT_ISSUER", values["PUBLIC_URL"]),
    }
    values |= _secrets(run_dir / SECRETS_FILE, given)
    return _with_database_urls(Settings(run_dir, values), given)


def _with_database_urls(settings: Settings, given: Mapping[str, str]) -> Settings:
    urls = {}
    for service in SERVICES:
        for name, role in (
            ("DATABASE_URL", service),
            ("MIGRATION_DATABASE_URL", f"{service}_owner"),
        ):
            variable = f"{service.upper()}_{name}"
            urls[variable] = given.get(variable, settings.database_url(role))
    return Settings(settings.run_dir, {**settings.values, **urls})


def _require_ports(values: Mapping[str, str]) -> None:
    owners: dict[int, str] = {}
    for name in PORTS:
        value = values[name]
        if not (value.isascii() and value.isdigit() and 0 < int(value) < 65_536):
            raise StackError(f"{name}={value} is not a port: it must be a number from 1 to 65535")
        other = owners.setdefault(int(value), name)
        if other != name:
            raise StackError(f"{other} and {name} are both {value}: every port needs its own")


def _secrets(file: Path, given: Mapping[str, str]) -> dict[str, str]:
    stored = read_values(file)
    known = {name: given.get(name) or stored.get(name) for name in _SECRETS}
    generated = {name: _generate(name) for name, value in known.items() if not value}
    if generated:
        write_values(file, stored | generated)
    return {name: value or generated[name] for name, value in known.items()}


def _generate(name: str) -> str:
    if name.endswith("KEY_ENCRYPTION_KEY"):
        return base64.urlsafe_b64encode(
            secrets.token_bytes(32)
        ).decode()  # the form Fernet asks for
    return secrets.token_urlsafe(32)


def read_values(file: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file; none if there is no file."""
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}


def write_values(file: Path, values: Mapping[str, str]) -> None:
    """Write NAME=value lines that only the owner can read; a reader sees all of them or none."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.writelines(f"{name}={value}\n" for name, value in values.items())
    draft.replace(file)
