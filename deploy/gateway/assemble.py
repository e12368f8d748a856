"""Puts the gateway's folder of pages together: ours, and Swagger UI from its package.

    python deploy/gateway/assemble.py TARGET

Needs what `requirements.txt` beside it lists. What was at TARGET is replaced.
"""

import gzip
import importlib.util
import shutil
import sys
from pathlib import Path

PAGES = Path(__file__).with_name("pages")
# What of Swagger UI is served, and under which name.
SWAGGER_UI = {
    "swagger-ui.css": "swagger-ui.css",
    "swagger-ui-bundle.js": "swagger-ui-bundle.js",
    "LICENSE": "swagger-ui-license.txt",
}
_WORTH_COMPRESSING = {".css", ".js", ".svg"}


def assemble(target: Path) -> None:
    """Fill `target` with all that the gateway serves itself, compressed beforehand."""
    draft = target.with_name(f"{target.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(PAGES, draft)
    for name, served_as in SWAGGER_UI.items():
        shutil.copyfile(_swagger_ui() / name, draft / "assets" / served_as)
    for file in sorted(draft.rglob("*")):
        if file.suffix in _WORTH_COMPRESSING:
            packed = file.with_name(f"{file.name}.gz")
            packed.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def _swagger_ui() -> Path:
    """Return the folder of Swagger UI in its package, without importing what comes with it."""
    found = importlib.util.find_spec("flask_swagger_ui")
    if found is None or found.origin is None:
        sys.exit("assemble: flask-swagger-ui is missing; requirements.txt beside this file has it")
    return Path(found.origin).with_name("dist")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: assemble.py TARGET")
    assemble(Path(sys.argv[1]).resolve())
