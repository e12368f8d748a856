"""Who may call the routes of this service."""

from service_kit.access import Access, services

PEOPLE_READERS = services("identity:people:read")
CLIENTS = Access(
    "service clients, by their own secret",
    lambda _caller: True,
    needs_credentials=False,
    reads_token=False,
)
