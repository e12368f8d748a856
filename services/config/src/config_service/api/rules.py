"""Who may call the routes of this service."""

from service_kit.access import people, services, with_second_factor

ADMIN = with_second_factor(people("admins", lambda caller: caller.role == "ADMIN"))
FEE_READERS = services("config:fees:read")
EXPORTERS = services("config:people:export")
PURGERS = services("config:purge-user")
