"""Who may call the routes of this service."""

from service_kit.access import people, services, with_second_factor

ADMIN_ROLE = "ADMIN"

ADMIN = with_second_factor(people("admins", lambda caller: caller.role == ADMIN_ROLE))
CREATORS = people(
    "organizers and comedians", lambda caller: caller.role in {"ORGANIZER", "COMEDIAN"}
)

OFFER_WRITERS = services("booking:offers:write")
AVAILABILITY_READERS = services("booking:availability:read")
DISBURSERS = services("booking:disbursements:write")
PEOPLE_EXPORTERS = services("booking:people:export")
PURGERS = services("booking:purge-user")
SALES_READERS = services("booking:sales:read")
STANDING_WRITERS = services("booking:standing:write")
