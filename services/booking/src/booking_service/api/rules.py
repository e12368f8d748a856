"""Who may call the routes of this service."""

from service_kit.access import services

OFFER_WRITERS = services("booking:offers:write")
AVAILABILITY_READERS = services("booking:availability:read")
DISBURSERS = services("booking:disbursements:write")
PEOPLE_EXPORTERS = services("booking:people:export")
SALES_READERS = services("booking:sales:read")
STANDING_WRITERS = services("booking:standing:write")
