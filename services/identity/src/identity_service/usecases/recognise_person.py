"""Telling who it is that the provider vouches for."""

from uuid import UUID

from uuid_utils.compat import uuid7

from identity_service.domain.audit import Action
from identity_service.domain.errors import AccountClosed
from identity_service.domain.sign_in import ProviderIdentity, SignInPolicy
from identity_service.repositories.transaction import Begin
from identity_service.usecases.settle_standing import settle_standing


def recognise_person(
    begin: Begin,
    policy: SignInPolicy,
    *,
    identity: ProviderIdentity,
    new_id: UUID | None = None,
) -> UUID:
    """Return the person with this account, a new member of the audience if there is none.

    The same e-mail under another subject is another person. Whoever becomes an admin loses all
    other sessions and API tokens, so that none of them gains the role; whoever is no
    longer listed stops being one.

    Raises:
        EmailNotVerified: the provider does not vouch for the e-mail.
        AccountClosed: the account is being deleted.
    """
    identity.require_verified_email()
    with begin() as tx:
        user_id = tx.people.of_account(policy.provider, identity.subject)
        if user_id is None:
            user_id = new_id or uuid7()
            tx.people.add(user_id, policy.provider, identity)
        elif tx.people.is_closed(user_id):
            raise AccountClosed
        else:
            tx.people.refresh(user_id, identity)
        if not policy.is_admin(identity.email):
            if tx.people.withdraw_admin(user_id):
                tx.audit.record(Action.ADMIN_WITHDRAWN, actor_id=None, subject_id=user_id)
                settle_standing(tx, user_id)
        elif tx.people.make_admin(user_id):
            tx.sessions.end_all_of(user_id)
            tx.api_tokens.end_all_of(user_id)
            tx.audit.record(Action.ADMIN_GAINED, actor_id=None, subject_id=user_id)
            settle_standing(tx, user_id)
    return user_id
