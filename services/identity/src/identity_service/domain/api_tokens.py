"""API tokens: what a script shows instead of a browser's session."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

DEFAULT_LIFETIME = timedelta(days=90)
MAX_LIFETIME = timedelta(days=365)
MAX_PER_PERSON = 20
MAX_NAME = 100
RANDOM_BYTES = 32
PREFIX = "cc_"

_FORM = re.compile(r"cc_[A-Za-z0-9_-]{22,100}")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What its owner sees of an API token; the token itself is shown only when it is made."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime


def bearer_api_token(authorization: str) -> str | None:
    """Return the API token of an Authorization header, None if it carries anything else."""
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" and _FORM.fullmatch(token) else None
