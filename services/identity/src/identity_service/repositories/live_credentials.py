"""The one read that every request with a credential makes, and the note that it is used."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Engine, LargeBinary, any_, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql import Executable

from identity_service.domain import second_factor
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import Role
from identity_service.domain.sign_in import SEEN_AGAIN_AFTER, LiveCredential, Method
from identity_service.models import ApiTokenRow, SessionRow, UserRow
from identity_service.repositories.people import newest_approval
from service_kit.batcher import Batcher, TooManyWaiting
from service_kit.database import POOL_WAIT_SECONDS, SingleStatement

LOOKUPS_AT_ONCE = 1  # per process and kind; with two, lookups are half as large, and fewer pass
MOST_IN_A_LOOKUP = 50

_HASHES = bindparam("token_hashes", type_=ARRAY(LargeBinary))
_FIND_SESSIONS = (
    select(
        SessionRow.token_hash,
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
    .where(
        SessionRow.token_hash == any_(_HASHES),
        SessionRow.expires_at > func.now(),
        UserRow.closed_by.is_(None),
    )
)
_FIND_API_TOKENS = (
    select(
        ApiTokenRow.token_hash,
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
    .where(
        ApiTokenRow.token_hash == any_(_HASHES),
        ApiTokenRow.expires_at > func.now(),
        UserRow.closed_by.is_(None),
    )
)


class LiveCredentials:
    """Looks credentials up by their token, outside of transactions: one statement, and no more.

    Who asks at the same moment shares it. Role and approval come from the same read, so that they
    are of this very moment.
    """

    def __init__(self, engine: Engine, *, idle: timedelta) -> None:
        """`engine` is one of `connect_for_single_statements`."""
        self._sessions = _Lookup(engine, _FIND_SESSIONS)
        self._api_tokens = _Lookup(engine, _FIND_API_TOKENS)
        self._engine = engine
        self._idle = idle

    def session(self, token_hash: bytes) -> LiveCredential | None:
        """Return the session with this token, None if there is none or it has expired."""
        row = self._sessions.row(token_hash)
        if row is None:
            return None
        *found, second_factor_given = row
        given = (Method.SECOND_FACTOR,) if second_factor_given else ()
        return _credential(found, methods=(Method.PROVIDER, *given))

    def api_token(self, token_hash: bytes) -> LiveCredential | None:
        """Return the API token that this is, None if there is none or it has expired."""
        row = self._api_tokens.row(token_hash)
        return None if row is None else _credential(row, methods=(Method.SCRIPT,))

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


class _Lookup:
    """Finds rows by the hash of a token; whoever asks at the same moment shares the statement."""

    def __init__(self, engine: Engine, statement: Executable) -> None:
        self._statement = SingleStatement(engine, statement)
        self._batcher: Batcher[bytes, Sequence[Any] | None] = Batcher(
            self._find, slots=LOOKUPS_AT_ONCE, most=MOST_IN_A_LOOKUP, patience=POOL_WAIT_SECONDS
        )

    def row(self, token_hash: bytes) -> Sequence[Any] | None:
        try:
            return self._batcher.ask(token_hash)
        except TooManyWaiting:
            raise PoolTimeout("too many credentials are waiting") from None

    def _find(self, token_hashes: Sequence[bytes]) -> list[Sequence[Any] | Exception | None]:
        try:
            rows = self._statement.rows(token_hashes=list(token_hashes))
        except SQLAlchemyError as error:
            return [error] * len(token_hashes)  # it is nobody's hash: asking one by one is no use
        found = {token_hash: row for token_hash, *row in rows}
        return [found.get(token_hash) for token_hash in token_hashes]


def _credential(row: Sequence[Any], *, methods: tuple[Method, ...]) -> LiveCredential:
    id_, user_id, email, role, approval, signed_in_at, expires_at, seen_lately = row
    return LiveCredential(
        id=id_,
        user_id=user_id,
        email=email,
        role=Role(role),
        approval=None if approval is None else ApprovalStatus(approval),
        signed_in_at=signed_in_at,
        expires_at=expires_at,
        seen_lately=seen_lately,
        methods=methods,
    )
