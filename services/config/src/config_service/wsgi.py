"""The app for gunicorn."""

import os

from config_service.app import create_app
from config_service.settings import Settings
from config_service.wiring import SERVICE, wire
from service_kit import logs, tracing

settings = Settings.from_env(os.environ)
logs.configure(service=SERVICE, level=settings.log_level)
tracing.configure(service=SERVICE)
app = create_app(wire(settings))
