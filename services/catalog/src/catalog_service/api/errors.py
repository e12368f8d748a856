"""The one table in which refusals become HTTP."""

from http import HTTPStatus

from catalog_service.domain.errors import (
    AdminsOnly,
    AlreadyListed,
    AlreadyPublished,
    CatalogError,
    ChangeInProgress,
    ChangeRefused,
    ComedianInUse,
    ComedianNotFound,
    CreatorNotAllowed,
    FixedOncePublished,
    InvalidFields,
    NoCancellation,
    NotApproved,
    NotPublished,
    ShowCancelled,
    ShowChangedMeanwhile,
    ShowEnded,
    ShowInThePast,
    ShowNotFound,
)

STATUS: dict[type[Exception], HTTPStatus] = {
    CatalogError: HTTPStatus.CONFLICT,
    InvalidFields: HTTPStatus.UNPROCESSABLE_ENTITY,
    ShowNotFound: HTTPStatus.NOT_FOUND,
    ComedianNotFound: HTTPStatus.NOT_FOUND,
    NoCancellation: HTTPStatus.NOT_FOUND,
    NotApproved: HTTPStatus.FORBIDDEN,
    CreatorNotAllowed: HTTPStatus.CONFLICT,
    AdminsOnly: HTTPStatus.FORBIDDEN,
    AlreadyListed: HTTPStatus.CONFLICT,
    ComedianInUse: HTTPStatus.CONFLICT,
    AlreadyPublished: HTTPStatus.CONFLICT,
    NotPublished: HTTPStatus.CONFLICT,
    ShowCancelled: HTTPStatus.CONFLICT,
    ShowEnded: HTTPStatus.CONFLICT,
    FixedOncePublished: HTTPStatus.CONFLICT,
    ShowChangedMeanwhile: HTTPStatus.CONFLICT,
    ShowInThePast: HTTPStatus.CONFLICT,
    ChangeInProgress: HTTPStatus.CONFLICT,
    ChangeRefused: HTTPStatus.CONFLICT,
}
