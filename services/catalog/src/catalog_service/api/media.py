"""Routes of images: POST /api/v1/upload · GET /api/v1/media/{key}."""

from typing import Any

import marshmallow as ma
from flask import Response, request
from flask_smorest.fields import Upload
from marshmallow import fields
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from catalog_service.api.rules import current_actor
from catalog_service.api.wired import wired
from catalog_service.domain.errors import MediaNotFound
from catalog_service.domain.media import MAX_UPLOAD_BYTES, MEDIA_TYPE, MediaKind, is_key
from catalog_service.usecases.upload_image import upload_image
from service_kit.access import EVERYONE, SIGNED_IN, accepts, allow, at_most
from service_kit.openapi import Schema
from service_kit.rate_limits import CROWD, limited
from service_kit.routes import Blueprint

FRAME_BYTES = 2**16  # what a form needs around its file
FOREVER = "public, max-age=31536000, immutable"

blp = Blueprint("media", __name__, url_prefix="/api/v1", description="Images")


class File(Upload):
    """A file; a text under its name is none."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise ma.ValidationError("Not a file.")
        return value


class UploadForm(Schema):
    kind = fields.Enum(MediaKind, by_value=True, required=True, data_key="type")
    file = File(required=True, metadata={"description": "JPEG, PNG or WebP, at most 5 MiB"})


class UploadResponse(Schema):
    url = fields.String(required=True, metadata={"description": "path below /api/v1/media/"})
    public_id = fields.String(required=True, attribute="key")


@blp.post("/upload")
@allow(SIGNED_IN)
@accepts("multipart/form-data")
@at_most(MAX_UPLOAD_BYTES + FRAME_BYTES)
@blp.arguments(UploadForm, location="files", as_kwargs=True)
@blp.response(201, UploadResponse)
@blp.alt_response(403, description="`NOT_APPROVED`: only approved creators, but for `profile`")
@blp.alt_response(409, description="`ACCOUNT_CLOSED`")
@blp.alt_response(413, description="`FILE_TOO_LARGE`, `REQUEST_ENTITY_TOO_LARGE`")
@blp.alt_response(415, description="`NOT_AN_IMAGE`")
@blp.alt_response(422, description="`IMAGE_REFUSED`: truncated, moving, too large a picture …")
@blp.alt_response(429, description="`TOO_MANY_UPLOADS`")
@blp.alt_response(507, description="`STORAGE_FULL`")
def post_upload(kind: MediaKind, file: FileStorage) -> Any:
    """Upload an image; unless something shows it within a day, it is removed"""
    use = wired()
    return upload_image(
        use.begin,
        use.images,
        use.storage,
        actor=current_actor(),
        kind=kind,
        content=file.stream.read(MAX_UPLOAD_BYTES + 1),
    )


@blp.get("/media/<string:key>")
@allow(EVERYONE)
@limited(CROWD)
@blp.response(200, {"type": "string", "format": "binary"}, content_type=MEDIA_TYPE)
@blp.alt_response(206, description="the part asked for with `Range`")
@blp.alt_response(304, description="the caller has it")
@blp.alt_response(404, description="unknown")
@blp.alt_response(416, description="no such part")
def get_media(key: str) -> BaseResponse:
    """Show an image; it never changes"""
    content = wired().storage.get(key) if is_key(key) else None
    if content is None:
        raise MediaNotFound
    response = Response(content, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = FOREVER
    response.set_etag(key.partition(".")[0])
    return response.make_conditional(request, accept_ranges=True, complete_length=len(content))
