"""The flat form with everything about the caller: POST /api/v1/profile/update."""

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields, validate

from identity_service.api.onboarding import OnboardingResponse
from identity_service.api.profile_fields import (
    Form,
    LenientSocialLinksSchema,
    changes_from,
    instagram_urls,
    optional_long_text,
    optional_text,
    phone_number,
    social_link,
    social_links,
    youtube_urls,
)
from identity_service.api.user_schema import user_view
from identity_service.api.wired import wired
from identity_service.domain.media_links import MAX_LINK, is_image
from identity_service.domain.people import MAX_AGE, Role
from identity_service.usecases.update_profile import update_profile
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.routes import Blueprint

blp = Blueprint("profile", __name__, description="What a person tells about herself")

OWN = ("name", "phone", "age", "city", "language", "bio", "image")
COMEDIAN = {
    "stage_name": "stage_name",
    "comedian_contact": "contact",
    "comedian_bio": "bio",
    "comedian_youtube_urls": "youtube_urls",
    "comedian_instagram_urls": "instagram_urls",
    "comedian_social_links": "social_links",
}
ORGANIZER = {
    "organizer_name": "name",
    "organizer_contact": "contact",
    "organizer_description": "description",
    "organizer_venue": "venue",
    "organizer_youtube_urls": "youtube_urls",
    "organizer_instagram_urls": "instagram_urls",
    "organizer_social_links": "social_links",
}
HANDLES = {"youtube_handle": "youtube", "instagram_handle": "instagram"}


def _require_image(link: str) -> None:
    if not is_image(link):
        raise ValidationError("An uploaded image or an https link is needed.")


class ProfileForm(Form):
    name = optional_text()
    phone = optional_text()
    age = fields.Integer(allow_none=True, validate=validate.Range(1, MAX_AGE))
    city = optional_text()
    language = optional_text()
    bio = optional_long_text()
    image = fields.String(allow_none=True, validate=[validate.Length(max=MAX_LINK), _require_image])
    stage_name = optional_text()
    comedian_contact = phone_number()
    comedian_bio = optional_long_text()
    comedian_youtube_urls = youtube_urls()
    comedian_instagram_urls = instagram_urls()
    comedian_social_links = social_links(LenientSocialLinksSchema)
    organizer_name = optional_text()
    organizer_contact = optional_text()
    organizer_description = optional_long_text()
    organizer_venue = optional_text()
    organizer_youtube_urls = youtube_urls()
    organizer_instagram_urls = instagram_urls()
    organizer_social_links = social_links(LenientSocialLinksSchema)
    youtube_handle = social_link()
    instagram_handle = social_link()

    class Meta:
        unknown = EXCLUDE  # the front end sends all it has


@blp.post("/api/v1/profile/update")
@allow(SIGNED_IN)
@blp.arguments(ProfileForm)
@blp.response(200, OnboardingResponse)
def post_profile_update(body: dict[str, Any]) -> dict[str, Any]:
    """Change the profile: absent stays, null clears; a creator's part needs a creator

    Who was rejected as a creator and changes that part applies again.
    """
    person = update_profile(
        wired().begin,
        user_id=current_caller().id,
        own={name: body[name] for name in OWN if name in body},
        creator={
            Role.COMEDIAN: changes_from(_renamed(body, COMEDIAN)),
            Role.ORGANIZER: changes_from(_renamed(body, ORGANIZER)),
        },
        handles=_renamed(body, HANDLES),
    )
    return {"success": True, "user": user_view(person)}


def _renamed(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {inside: body[outside] for outside, inside in names.items() if outside in body}
