"""Who may call the routes of this service."""

from identity_service.domain.people import Role
from identity_service.domain.sign_in import Method
from service_kit.access import (
    Access,
    Credentials,
    people,
    services,
    suspended_too,
    with_second_factor,
)

IN_A_BROWSER = people("signed in in a browser", lambda caller: Method.PROVIDER in caller.amr)
IN_A_BROWSER_EVEN_IF_CLOSED = suspended_too(IN_A_BROWSER)
ADMIN_BEFORE_SECOND_FACTOR = people("admins", lambda caller: caller.role == Role.ADMIN)
ADMIN_IN_A_BROWSER = people(
    "admins in a browser",
    lambda caller: caller.role == Role.ADMIN and Method.PROVIDER in caller.amr,
)
ADMIN = with_second_factor(ADMIN_BEFORE_SECOND_FACTOR)
CONTACT_READERS = services("identity:contacts:read")
CREATOR_READERS = services("identity:creators:read")
FIGURE_READERS = services("identity:figures:read")
PEOPLE_READERS = services("identity:people:read")
CLIENTS = Access(
    "service clients, by their own secret",
    lambda _caller: True,
    credentials=Credentials.NONE,
    reads_token=False,
)
