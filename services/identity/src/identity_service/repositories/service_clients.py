"""Every query about service clients."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity_service.domain.service_clients import VALID_SECRETS, Grants, ServiceClient
from identity_service.models import ServiceClientRow, ServiceClientSecretRow


class ServiceClientRepository:
    """The services that may fetch tokens; of their secrets only hashes are stored."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, client_id: str) -> ServiceClient | None:
        """Return a client, None if there is none of this name."""
        found = self._session.execute(
            select(ServiceClientRow.grants, func.array_agg(ServiceClientSecretRow.secret_hash))
            .join(ServiceClientSecretRow, ServiceClientSecretRow.client_id == ServiceClientRow.id)
            .where(ServiceClientRow.id == client_id)
            .group_by(ServiceClientRow.id)
        ).one_or_none()
        if found is None:
            return None
        grants, secret_hashes = found
        return ServiceClient(
            id=client_id,
            secret_hashes=tuple(secret_hashes),
            grants={audience: frozenset(scopes) for audience, scopes in grants.items()},
        )

    def put(self, client_id: str, grants: Grants) -> None:
        """Add a client, or give the one there is these grants instead of its own."""
        stored = {audience: sorted(scopes) for audience, scopes in grants.items()}
        self._session.execute(
            insert(ServiceClientRow)
            .values(id=client_id, grants=stored)
            .on_conflict_do_update(
                index_elements=[ServiceClientRow.id],
                set_={"grants": stored, "updated_at": func.now()},
            )
        )

    def admit_secret(self, client_id: str, secret_hash: bytes) -> None:
        """Make a secret valid beside the newest one so far; older ones end.

        The client has been `put` in this transaction, which makes others wait.
        """
        self._session.execute(
            insert(ServiceClientSecretRow)
            .values(client_id=client_id, secret_hash=secret_hash)
            .on_conflict_do_nothing()
        )
        valid = (
            select(ServiceClientSecretRow.secret_hash)
            .where(ServiceClientSecretRow.client_id == client_id)
            .order_by(ServiceClientSecretRow.created_at.desc())
            .limit(VALID_SECRETS)
        )
        self._session.execute(
            delete(ServiceClientSecretRow).where(
                ServiceClientSecretRow.client_id == client_id,
                ServiceClientSecretRow.secret_hash.not_in(valid),
            )
        )
