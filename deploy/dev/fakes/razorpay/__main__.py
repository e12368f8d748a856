"""Start the provider, on loopback unless `BIND` says otherwise, in place of this process."""

import os
import sys

from fakes.razorpay.settings import NotAllowedToRun, Settings


def main() -> None:
    """Check the environment first, so that a mistake is one line; then become gunicorn."""
    try:
        settings = Settings.from_env()
    except NotAllowedToRun as reason:
        sys.exit(str(reason))
    one_process_with_the_state = ["--workers", "1", "--threads", "16"]
    gunicorn = [
        *(sys.executable, "-m", "gunicorn", "fakes.razorpay.app:create_app()"),
        *("--bind", f"{settings.bind}:{settings.port}", "--worker-class", "gthread"),
        *one_process_with_the_state,
        *("--graceful-timeout", "1", "--no-control-socket", "--log-level", "warning"),
    ]
    os.execv(sys.executable, gunicorn)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
