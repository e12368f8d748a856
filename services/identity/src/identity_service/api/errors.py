"""The one table in which refusals become HTTP."""

from http import HTTPStatus

from identity_service.domain.errors import (
    AlreadyApplied,
    DecisionNotPossible,
    EmailNotVerified,
    IdentityError,
    InvalidIdentity,
    NoProfile,
    NothingToDecide,
    PasswordAlreadySet,
    PasswordNotSet,
    PasswordTooWeak,
    ProfileNeedsName,
    RoleConflict,
    RotationUnderWay,
    SignedOut,
    TooManyApiTokens,
    TooManyAttempts,
    UnknownCredential,
    UnknownPerson,
    UnknownSignIn,
    WrongPassword,
)

STATUS: dict[type[Exception], HTTPStatus] = {
    IdentityError: HTTPStatus.CONFLICT,
    SignedOut: HTTPStatus.UNAUTHORIZED,
    UnknownSignIn: HTTPStatus.UNAUTHORIZED,
    InvalidIdentity: HTTPStatus.UNAUTHORIZED,
    EmailNotVerified: HTTPStatus.FORBIDDEN,
    UnknownCredential: HTTPStatus.NOT_FOUND,
    TooManyApiTokens: HTTPStatus.CONFLICT,
    UnknownPerson: HTTPStatus.NOT_FOUND,
    RoleConflict: HTTPStatus.CONFLICT,
    AlreadyApplied: HTTPStatus.CONFLICT,
    PasswordTooWeak: HTTPStatus.UNPROCESSABLE_ENTITY,
    PasswordAlreadySet: HTTPStatus.CONFLICT,
    PasswordNotSet: HTTPStatus.CONFLICT,
    WrongPassword: HTTPStatus.FORBIDDEN,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    RotationUnderWay: HTTPStatus.CONFLICT,
    NoProfile: HTTPStatus.NOT_FOUND,
    ProfileNeedsName: HTTPStatus.UNPROCESSABLE_ENTITY,
    NothingToDecide: HTTPStatus.CONFLICT,
    DecisionNotPossible: HTTPStatus.CONFLICT,
}
