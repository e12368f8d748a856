from config_service.models import Base
from service_kit.migrations import run_migrations

run_migrations(schema="config", metadata=Base.metadata)
