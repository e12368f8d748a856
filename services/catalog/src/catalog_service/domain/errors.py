"""What the catalog refuses, by name."""

from collections.abc import Mapping, Sequence


class CatalogError(Exception):
    """Base of the catalog's refusals."""

    code = "CATALOG_REFUSED"


class InvalidFields(CatalogError):
    """Some fields break a rule; `members` names them all."""

    code = "INVALID_FIELDS"

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        field, messages = next(iter(errors.items()))
        super().__init__(f"{field}: {messages[0]}")
        self.members = {"errors": dict(errors)}


class ShowNotFound(CatalogError):
    """There is no such show."""

    code = "NOT_FOUND"


class ComedianNotFound(CatalogError):
    """There is no such comedian."""

    code = "NOT_FOUND"


class NotApproved(CatalogError):
    """Only approved organizers and comedians and admins may do this."""

    code = "NOT_APPROVED"


class CreatorNotAllowed(CatalogError):
    """The creator of this show may not put shows on at present."""

    code = "CREATOR_NOT_ALLOWED"


class AdminsOnly(CatalogError):
    """Only admins may do this."""

    code = "ADMINS_ONLY"


class ComedianInUse(CatalogError):
    """A show has this comedian on its bill. Take the comedian off it first."""

    code = "COMEDIAN_IN_USE"


class NotAnImage(CatalogError):
    """Only JPEG, PNG and WebP images can be uploaded."""

    code = "NOT_AN_IMAGE"


class ImageRefused(CatalogError):
    """This image cannot be used."""

    code = "IMAGE_REFUSED"


class FileTooLarge(CatalogError):
    """The file is larger than 5 MiB."""

    code = "FILE_TOO_LARGE"


class TooManyUploads(CatalogError):
    """There were too many uploads; the oldest one stops counting after a while."""

    code = "TOO_MANY_UPLOADS"

    def __init__(self, retry_after_seconds: int) -> None:
        hours = -(-retry_after_seconds // 3600)
        super().__init__(f"You have uploaded as much as a day allows. Try again within {hours} h.")
        self.retry_after_seconds = retry_after_seconds


class MediaNotFound(CatalogError):
    """There is no such image."""

    code = "NOT_FOUND"


class UploadsBusy(CatalogError):
    """Too many images are being uploaded at this moment. Please try again."""

    code = "UNAVAILABLE"
    retry_after_seconds = 1


class StorageUnavailable(CatalogError):
    """Images cannot be stored or read at the moment. Please try again."""

    code = "UNAVAILABLE"
    retry_after_seconds = 5


class StorageFull(CatalogError):
    """There is no room for another image at the moment."""

    code = "STORAGE_FULL"


class AlreadyListed(CatalogError):
    """This person is in the directory already."""

    code = "ALREADY_LISTED"


class AlreadyPublished(CatalogError):
    """The show is published already."""

    code = "ALREADY_PUBLISHED"


class NotPublished(CatalogError):
    """The show is not published."""

    code = "NOT_PUBLISHED"


class ShowCancelled(CatalogError):
    """The show has been cancelled."""

    code = "SHOW_CANCELLED"


class ShowInThePast(CatalogError):
    """The show's date is in the past."""

    code = "SHOW_IN_THE_PAST"


class ShowEnded(CatalogError):
    """The show is over."""

    code = "SHOW_ENDED"


class FixedOncePublished(CatalogError):
    """Only an admin changes these fields of a published show; `members` names them."""

    code = "FIXED_ONCE_PUBLISHED"

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(f"Only an admin changes {', '.join(fields)} of a published show.")
        self.members = {"errors": {name: ["Fixed once published."] for name in fields}}


class ShowChangedMeanwhile(CatalogError):
    """Somebody else has changed this show meanwhile. Load it again."""

    code = "SHOW_CHANGED"


class NoCancellation(CatalogError):
    """This show is not being cancelled."""

    code = "NOT_FOUND"


class ChangeInProgress(CatalogError):
    """Another change of this show has not been decided yet."""

    code = "CHANGE_IN_PROGRESS"


class AccountClosed(CatalogError):
    """This account is being deleted."""

    code = "ACCOUNT_CLOSED"


class AnotherDeletion(CatalogError):
    """Another deletion has this person, or this deletion is another person's."""

    code = "ANOTHER_DELETION"


class ChangeRefused(CatalogError):
    """The sales side refused a change; the show is as it was."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
