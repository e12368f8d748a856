"""The app for gunicorn."""

import os

from catalog_service.app import create_app
from catalog_service.settings import Settings
from catalog_service.wiring import SERVICE, wire
from service_kit import logs, tracing

settings = Settings.from_env(os.environ)
logs.configure(service=SERVICE, level=settings.log_level)
tracing.configure(service=SERVICE)
app = create_app(wire(settings))
