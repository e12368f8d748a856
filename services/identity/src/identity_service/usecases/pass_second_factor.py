"""Giving the second factor."""

from uuid import UUID

from identity_service.domain.audit import Action
from identity_service.domain.errors import SignedOut, WrongPassword
from identity_service.domain.people import Role
from identity_service.repositories.transaction import Begin
from identity_service.usecases.check_admin_password import check_admin_password


def pass_second_factor(
    begin: Begin, *, user_id: UUID, session_id: UUID, address: str, password: str
) -> None:
    """Let this session of an admin do what needs the second factor, for a while.

    Raises:
        PasswordNotSet: there is no password yet.
        TooManyAttempts: for this account or from this address nobody may try at the moment.
        WrongPassword: it is another one, perhaps since a moment.
        SignedOut: the session is over, or no longer an admin's.
    """
    stored = check_admin_password(begin, user_id=user_id, address=address, password=password)
    with begin() as tx:
        if tx.people.lock(user_id) is not Role.ADMIN:
            raise SignedOut
        if tx.admin_passwords.hash_of(user_id) != stored:
            raise WrongPassword
        if not tx.sessions.pass_second_factor(session_id, user_id=user_id):
            raise SignedOut
        tx.audit.record(Action.SECOND_FACTOR_PASSED, actor_id=user_id)
