"""Converting uploads, one at a time in each process that serves requests."""

import subprocess
import sys
import threading
from pathlib import Path

from catalog_service.domain.errors import ImageRefused, UploadsBusy
from catalog_service.domain.images import ImageFormat
from catalog_service.domain.media import LONGEST_EDGE
from service_kit import deadline

SECONDS = 9.0
UNREADABLE = 3  # status of the program
_PROGRAM = str(Path(__file__).with_name("reencode.py"))


class ImageConverter:
    """Makes images small and free of metadata, in processes that end after one image."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()  # each takes up to 400 MB, for less than a second

    def to_webp(self, content: bytes, file_format: ImageFormat) -> bytes:
        """Return the picture as WebP, upright, no edge longer than `LONGEST_EDGE`.

        Raises:
            ImageRefused: it cannot be read.
            UploadsBusy: others' images take all the time there is.
            DeadlineExceeded: no time is left.
        """
        if not self._one_at_a_time.acquire(timeout=deadline.remaining(SECONDS)):
            raise UploadsBusy
        try:
            done = subprocess.run(  # noqa: S603 a program of ours, with words of ours
                [sys.executable, "-I", _PROGRAM, file_format.value, str(LONGEST_EDGE)],
                input=content,
                capture_output=True,
                timeout=deadline.remaining(SECONDS),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UploadsBusy from error
        finally:
            self._one_at_a_time.release()
        if done.returncode == UNREADABLE or done.returncode < 0:  # ended by a limit, or crashed
            raise ImageRefused("The image cannot be read.")
        if done.returncode:
            raise RuntimeError(f"converting failed: {done.stderr.decode(errors='replace')[-500:]}")
        return done.stdout
