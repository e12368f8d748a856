"""What the identity service refuses, by name."""

from collections.abc import Mapping
from typing import Any


class IdentityError(Exception):
    """Base of the identity service's refusals."""

    code = "IDENTITY_REFUSED"


class SignedOut(IdentityError):
    """You are no longer signed in."""

    code = "UNAUTHENTICATED"


class UnknownSignIn(IdentityError):
    """This sign-in was not begun in this browser, took too long or is over already."""

    code = "UNKNOWN_SIGN_IN"


class InvalidIdentity(IdentityError):
    """What the sign-in provider said about the person cannot be relied on."""

    code = "INVALID_IDENTITY"


class EmailNotVerified(IdentityError):
    """The sign-in provider has not verified this e-mail address."""

    code = "EMAIL_NOT_VERIFIED"


class AccountClosed(IdentityError):
    """This account is being deleted."""

    code = "ACCOUNT_CLOSED"


class AdminsStay(IdentityError):
    """An administrator's account cannot be deleted. Give the role up first."""

    code = "ADMIN_ACCOUNT"


class DeletionRefused(IdentityError):
    """This account cannot be deleted now."""

    code = "DELETION_REFUSED"

    def __init__(self, message: str, members: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.members = members  # of the answer: the reasons, and where to read them again


class AnotherErasureKey(IdentityError):
    """Accounts cannot be deleted at the moment."""

    code = "ANOTHER_ERASURE_KEY"


class UnknownDeletion(IdentityError):
    """There is no such deletion."""

    code = "UNKNOWN_DELETION"


class DeletionOver(IdentityError):
    """This deletion is over; there is nothing to try again."""

    code = "DELETION_OVER"


class UnknownPerson(IdentityError):
    """There is no such person."""

    code = "UNKNOWN_PERSON"


class UnknownCredential(IdentityError):
    """There is no such sign-in or token of yours."""

    code = "UNKNOWN_CREDENTIAL"


class TooManyApiTokens(IdentityError):
    """You have as many API tokens as one may have. Delete one first."""

    code = "TOO_MANY_API_TOKENS"


class RoleConflict(IdentityError):
    """An account is a comedian's, an organizer's or an admin's, never two of them."""

    code = "ROLE_CONFLICT"


class AlreadyApplied(IdentityError):
    """There is an application already."""

    code = "ALREADY_APPLIED"


class PasswordTooWeak(IdentityError):
    """This password is too easy to guess."""

    code = "PASSWORD_TOO_WEAK"


class PasswordAlreadySet(IdentityError):
    """There is a password already. To change it, give the present one too."""

    code = "PASSWORD_ALREADY_SET"


class PasswordNotSet(IdentityError):
    """There is no password yet. Please set one first."""

    code = "PASSWORD_NOT_SET"


class WrongPassword(IdentityError):
    """This is not your password."""

    code = "WRONG_PASSWORD"


class TooManyAttempts(IdentityError):
    """There were too many wrong passwords. Please wait."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"There were too many wrong passwords. Wait {retry_after_seconds} s.")
        self.retry_after_seconds = retry_after_seconds


class RotationUnderWay(IdentityError):
    """A new key is published already and does not sign yet."""

    code = "ROTATION_UNDER_WAY"


class NoProfile(IdentityError):
    """You have no profile of this kind. Apply first."""

    code = "NO_PROFILE"


class ProfileNeedsName(IdentityError):
    """A creator's profile needs a name."""

    code = "PROFILE_NEEDS_NAME"


class NothingToDecide(IdentityError):
    """This person has not applied for anything."""

    code = "NOTHING_TO_DECIDE"


class DecisionNotPossible(IdentityError):
    """The application is not in a state in which this can be decided."""

    code = "DECISION_NOT_POSSIBLE"
