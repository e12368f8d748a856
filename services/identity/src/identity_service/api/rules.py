"""Who may call the routes of this service."""

from identity_service.domain.sign_in import Method
from service_kit.access import Access, Credentials, people, services

IN_A_BROWSER = people("signed in in a browser", lambda caller: Method.PROVIDER in caller.amr)
PEOPLE_READERS = services("identity:people:read")
CLIENTS = Access(
    "service clients, by their own secret",
    lambda _caller: True,
    credentials=Credentials.NONE,
    reads_token=False,
)
