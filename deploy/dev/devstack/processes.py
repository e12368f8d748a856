"""What runs beside the database: services, workers, sign-in, gateway, perhaps payments."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from devstack.ports import LOOPBACK
from devstack.settings import CHECKOUT, SERVICES, SERVICES_WITH_WORKER, Settings
from devstack.supervision import Process

_MAIL_SETTINGS = ("MAIL_URL", "MAIL_FROM", "SMTP_PASSWORD")

# What one service is told beyond the common part, in the names of its own settings.
_OWN_SETTINGS = {
    "identity": (
        "OIDC_PROVIDER",
        "OIDC_ISSUER",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "ADMIN_EMAILS",
        "KEY_ENCRYPTION_KEY",
        "CSRF_SECRET",
        *(f"{service.upper()}_CLIENT_SECRET" for service in SERVICES),
        "BOOKING_URL",
        "CATALOG_URL",
        "CONFIG_URL",
        "ERASURE_JOURNAL",
        *_MAIL_SETTINGS,
    ),
    "catalog": ("BOOKING_URL", "MEDIA_STORAGE", "MEDIA_DIR"),
    "booking": (
        "CONFIG_URL",
        "PAYMENTS",
        "RAZORPAY_KEY_ID",
        "RAZORPAY_KEY_SECRET",
        "RAZORPAY_WEBHOOK_SECRETS",
        "RAZORPAY_BASE_URL",
        "RECONCILE_AFTER_SECONDS",
        "TICKET_KEY_ENCRYPTION_KEY",
        *_MAIL_SETTINGS,
    ),
    "config": (),
}
_COMMON_SETTINGS = ("ENV", "LOG_LEVEL", "PUBLIC_URL", "JWT_ISSUER", "IDENTITY_URL", "ERASURE_KEY")

# Of the caller's environment: libpq's variables would change where and how processes connect.
_NOT_INHERITED = re.compile(r"PG[A-Z]+|PYTHON(HOME|PATH)|MAKE(FLAGS|LEVEL|FILES)|MFLAGS")


def processes(settings: Settings, environment: Mapping[str, str]) -> list[Process]:
    """List every process of the stack but the database, as the caller's environment asks for."""
    return [
        _openid_provider(settings, environment),
        *([_razorpay(settings, environment)] if _simulates_payments(settings) else []),
        *(_web(settings, environment, service) for service in SERVICES),
        *(_worker(settings, environment, service) for service in SERVICES_WITH_WORKER),
        _gateway(settings, environment),
    ]


def service_folder(service: str) -> Path:
    """Return the folder of a service, in which its commands run."""
    return CHECKOUT / "services" / service


def site_folder(settings: Settings) -> Path:
    """Return the folder of the gateway's pages."""
    return settings.run_dir / "site"


def assembling(settings: Settings) -> list[str]:
    """Return the command line that puts the gateway's pages together."""
    script = CHECKOUT / "deploy/gateway/assemble.py"
    return [sys.executable, str(script), str(site_folder(settings))]


def cli_command(service: str, *arguments: str) -> list[str]:
    """Return the command line of a service's own commands: migrate, seed, openapi, …"""
    return [sys.executable, "-m", f"{service}_service.cli", *arguments]


def service_environment(
    settings: Settings, environment: Mapping[str, str], service: str
) -> dict[str, str]:
    """Return all that a service is told, in the names that production uses."""
    upper = service.upper()
    own = {name: settings[name] for name in (*_COMMON_SETTINGS, *_OWN_SETTINGS[service])}
    return {
        **inherited(settings, environment),
        **own,
        "PORT": settings[f"{upper}_PORT"],
        "DATABASE_URL": settings[f"{upper}_DATABASE_URL"],
        "MIGRATION_DATABASE_URL": settings[f"{upper}_MIGRATION_DATABASE_URL"],
        "SERVICE_CLIENT_ID": service,
        "SERVICE_CLIENT_SECRET": settings[f"{upper}_CLIENT_SECRET"],
    }


def inherited(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what processes see of the caller's environment: nothing that is a setting of ours."""
    kept = {
        name: value
        for name, value in environment.items()
        if name not in settings.values and not _NOT_INHERITED.fullmatch(name)
    }
    direct = f"{LOOPBACK},localhost"  # no proxy between our own processes
    return {**kept, "NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"}


def _web(settings: Settings, environment: Mapping[str, str], service: str) -> Process:
    port = settings[f"{service.upper()}_PORT"]
    configuration = os.path.relpath(CHECKOUT / "deploy/gunicorn.conf.py", service_folder(service))
    return Process(
        name=service,
        argv=[sys.executable, "-m", "gunicorn", "-c", configuration, f"{service}_service.wsgi:app"],
        cwd=service_folder(service),
        env=_without_owner(
            {
                **service_environment(settings, environment, service),
                "PROMETHEUS_MULTIPROC_DIR": str(settings.run_dir / "metrics" / service),
                "DRAIN_SECONDS": environment.get("DRAIN_SECONDS", "0"),  # Ctrl-C is for all of them
            }
        ),
        port=int(port),
        health=f"http://{LOOPBACK}:{port}/readyz",
    )


def _worker(settings: Settings, environment: Mapping[str, str], service: str) -> Process:
    name = f"{service}-worker"
    port = settings[f"{service.upper()}_WORKER_PORT"]
    return Process(
        name=name,
        argv=[sys.executable, "-m", f"{service}_service.worker"],
        cwd=service_folder(service),
        env=_without_owner(
            {
                **service_environment(settings, environment, service),
                "WORKER_ID": f"{name}-1",
                "WORKER_PORT": port,
            }
        ),
        port=int(port),
        health=f"http://{LOOPBACK}:{port}/readyz",
    )


def _openid_provider(settings: Settings, environment: Mapping[str, str]) -> Process:
    port = settings["OPENID_PORT"]
    told = ("OPENID_ISSUER", "PUBLIC_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
    return Process(
        name="openid",
        argv=[sys.executable, "-m", "fakes.openid_provider"],
        cwd=CHECKOUT,
        env={
            **inherited(settings, environment),
            **{name: settings[name] for name in told},
            "ENV": settings["ENV"],
            "PORT": port,
            "OPENID_KEY_FILE": str(settings.run_dir / "openid-key.json"),
        },
        port=int(port),
        health=f"http://{LOOPBACK}:{port}/.well-known/openid-configuration",
    )


def _simulates_payments(settings: Settings) -> bool:
    """Return whether payments are taken, and not by a provider elsewhere."""
    own = f"http://{LOOPBACK}:{settings['RAZORPAY_PORT']}"
    return settings["PAYMENTS"] == "razorpay" and settings["RAZORPAY_BASE_URL"] == own


def _razorpay(settings: Settings, environment: Mapping[str, str]) -> Process:
    port = settings["RAZORPAY_PORT"]
    gateway = f"http://{LOOPBACK}:{settings['PORT']}"
    return Process(
        name="razorpay",
        argv=[sys.executable, "-m", "fakes.razorpay"],
        cwd=CHECKOUT,
        env={
            **inherited(settings, environment),
            "ENV": settings["ENV"],
            "PORT": port,
            "RAZORPAY_KEY_ID": settings["RAZORPAY_KEY_ID"],
            "RAZORPAY_KEY_SECRET": settings["RAZORPAY_KEY_SECRET"],
            "RAZORPAY_WEBHOOK_SECRET": settings["RAZORPAY_WEBHOOK_SECRETS"].partition(",")[0],
            "RAZORPAY_WEBHOOK_URL": f"{gateway}/api/v1/webhooks/razorpay",
        },
        port=int(port),
        health=f"http://{LOOPBACK}:{port}/healthz",
    )


def _gateway(settings: Settings, environment: Mapping[str, str]) -> Process:
    home = settings.run_dir / "caddy"
    return Process(
        name="gateway",
        argv=[
            str(Path(sys.executable).with_name("caddy")),
            *("run", "--config", str(CHECKOUT / "deploy/gateway/Caddyfile")),
            *("--adapter", "caddyfile"),
        ],
        cwd=CHECKOUT,
        env={
            **inherited(settings, environment),
            **{x.upper(): urlsplit(settings[f"{x.upper()}_URL"]).netloc for x in SERVICES},
            "PUBLIC_URL": settings["PUBLIC_URL"],
            "PORT": settings["PORT"],
            "GATEWAY_METRICS_PORT": settings["GATEWAY_METRICS_PORT"],
            "SITE": str(site_folder(settings)),
            "FRONTEND": settings["FRONTEND"],
            **_tracing_of_gateway(environment),
            "GOGC": environment.get("GOGC", "400"),  # a fifth less processor time a request
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
        },
        port=int(settings["PORT"]),
        health=f"http://{LOOPBACK}:{settings['PORT']}/healthz",
    )


def _tracing_of_gateway(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what makes the gateway trace, if the services do; nothing of a request is told."""
    if not environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return {}
    return {
        "TRACING": "on",
        "OTEL_SERVICE_NAME": "gateway",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0",
    }


def _without_owner(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of something that serves: it cannot migrate."""
    return {name: value for name, value in environment.items() if name != "MIGRATION_DATABASE_URL"}
