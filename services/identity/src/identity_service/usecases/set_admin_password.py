"""Choosing an admin's password."""

from uuid import UUID

from identity_service.domain.audit import Action
from identity_service.domain.errors import PasswordAlreadySet, SignedOut
from identity_service.domain.passwords import hash_password, require_strong
from identity_service.domain.people import Role
from identity_service.repositories.transaction import Begin
from identity_service.usecases.check_admin_password import check_admin_password


def set_admin_password(
    begin: Begin,
    *,
    user_id: UUID,
    session_id: UUID,
    address: str,
    password: str,
    current_password: str | None,
) -> None:
    """Set the first password, or another one for who knows the present one.

    This session has given its second factor then; all others have to give it anew.

    Raises:
        SignedOut: the session is over, or no longer an admin's.
        PasswordTooWeak: the new one is too easy to guess.
        PasswordAlreadySet: there is one, and it was not given, or changed at the same moment.
        TooManyAttempts: for this account or from this address nobody may try at the moment.
        WrongPassword: the present one is another.
    """
    with begin() as tx:
        person = tx.people.get(user_id)
        known = tx.admin_passwords.hash_of(user_id)
    if person is None:
        raise SignedOut
    require_strong(password, email=person.email)
    if known is not None:
        if current_password is None:
            raise PasswordAlreadySet
        known = check_admin_password(
            begin, user_id=user_id, address=address, password=current_password
        )
    hashed = hash_password(password)
    with begin() as tx:
        if tx.people.lock(user_id) is not Role.ADMIN:
            raise SignedOut
        if known is None:
            stored = tx.admin_passwords.add(user_id, hashed)
        else:
            stored = tx.admin_passwords.replace(user_id, known=known, password_hash=hashed)
        if not stored:
            raise PasswordAlreadySet
        tx.sessions.end_second_factors_of(user_id)
        if not tx.sessions.pass_second_factor(session_id, user_id=user_id):
            raise SignedOut
        tx.audit.record(Action.PASSWORD_CHANGED if known else Action.PASSWORD_SET, actor_id=user_id)
