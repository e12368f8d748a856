"""The app for gunicorn."""

import os

from booking_service.app import create_app
from booking_service.settings import Settings
from booking_service.wiring import SERVICE, wire
from service_kit import logs, tracing

settings = Settings.from_env(os.environ)
logs.configure(service=SERVICE, level=settings.log_level)
tracing.configure(service=SERVICE)
app = create_app(wire(settings))
