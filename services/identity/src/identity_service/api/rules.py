"""Who may call the routes of this service."""

from service_kit.access import Access, Credentials, services

PEOPLE_READERS = services("identity:people:read")
CLIENTS = Access(
    "service clients, by their own secret",
    lambda _caller: True,
    credentials=Credentials.NONE,
    reads_token=False,
)
