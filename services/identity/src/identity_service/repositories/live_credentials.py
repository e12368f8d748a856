"""The one read that every request with a credential makes, and the note that it is used."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, bindparam, func, or_, select, update

from identity_service.domain import second_factor
from identity_service.domain.sign_in import SEEN_AGAIN_AFTER, LiveCredential, Method
from identity_service.models import ApiTokenRow, SessionRow, UserRow
from identity_service.repositories.people import newest_approval

_FIND_SESSION = (
    select(
        SessionRow.id,
        SessionRow.user_id,
        UserRow.email,
        UserRow.role,
        newest_approval(),
        SessionRow.created_at,
        SessionRow.expires_at,
        SessionRow.last_seen_at >= func.now() - SEEN_AGAIN_AFTER,
        func.coalesce(SessionRow.second_factor_at > func.now() - second_factor.LASTS, False),
    )
    .join(UserRow, UserRow.id == SessionRow.user_id)
    .where(SessionRow.token_hash == bindparam("token_hash"), SessionRow.expires_at > func.now())
)
_FIND_API_TOKEN = (
    select(
        ApiTokenRow.id,
        ApiTokenRow.user_id,
        UserRow.email,
        UserRow.role,
        newest_approval(),
        ApiTokenRow.created_at,
        ApiTokenRow.expires_at,
        func.coalesce(ApiTokenRow.last_used_at >= func.now() - SEEN_AGAIN_AFTER, False),
    )
    .join(UserRow, UserRow.id == ApiTokenRow.user_id)
    .where(ApiTokenRow.token_hash == bindparam("token_hash"), ApiTokenRow.expires_at > func.now())
)


class LiveCredentials:
    """Looks credentials up by their token, outside of transactions: one statement each.

    Role and approval come from the same read, so that they are of this very moment.
    """

    def __init__(self, engine: Engine, *, idle: timedelta) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._idle = idle

    def session(self, token_hash: bytes) -> LiveCredential | None:
        """Return the session with this token, None if there is none or it has expired."""
        with self._engine.connect() as connection:
            row = connection.execute(_FIND_SESSION, {"token_hash": token_hash}).one_or_none()
        if row is None:
            return None
        given = (Method.SECOND_FACTOR,) if row[-1] else ()
        return LiveCredential(*row[:-1], methods=(Method.PROVIDER, *given))

    def api_token(self, token_hash: bytes) -> LiveCredential | None:
        """Return the API token that this is, None if there is none or it has expired."""
        with self._engine.connect() as connection:
            row = connection.execute(_FIND_API_TOKEN, {"token_hash": token_hash}).one_or_none()
        return None if row is None else LiveCredential(*row, methods=(Method.SCRIPT,))

    def mark_session_seen(self, session_id: UUID) -> None:
        """Note that a session is used, which prolongs it within its bounds."""
        now = func.now()
        with self._engine.connect() as connection:
            connection.execute(
                update(SessionRow)
                .where(
                    SessionRow.id == session_id,
                    SessionRow.last_seen_at < now - SEEN_AGAIN_AFTER,
                )
                .values(
                    last_seen_at=now,
                    expires_at=func.least(SessionRow.ends_at, now + self._idle),
                )
            )

    def mark_api_token_used(self, token_id: UUID) -> None:
        """Note that an API token is used; it expires when it always was to."""
        now = func.now()
        with self._engine.connect() as connection:
            connection.execute(
                update(ApiTokenRow)
                .where(
                    ApiTokenRow.id == token_id,
                    or_(
                        ApiTokenRow.last_used_at.is_(None),
                        ApiTokenRow.last_used_at < now - SEEN_AGAIN_AFTER,
                    ),
                )
                .values(last_used_at=now)
            )
