"""`make lint`: migrations, as the SQL they are, through squawk (docs/releases.md).

A migration that may break a rule says so, and why: `# squawk-ignore rule, rule: reason`.
"""

import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from devstack.settings import CHECKOUT, SERVICES

_IGNORED = re.compile(r"^# squawk-ignore\b(.*)$", re.MULTILINE)
_RULES_AND_REASON = re.compile(r" ([a-z-]+(?:, [a-z-]+)*): \S.*")


class WithoutReason(Exception):
    """A migration breaks a rule and does not say why it may."""


def main(folders: list[Path]) -> int:
    """Judge the migrations of the services in these folders; return an exit status."""
    with tempfile.TemporaryDirectory() as target:
        try:
            files = [file for folder in folders for file in _write_sql(folder, Path(target))]
        except WithoutReason as error:
            print(error, file=sys.stderr)
            return 1
        squawk = str(Path(sys.executable).with_name("squawk"))
        configuration = str(CHECKOUT / ".squawk.toml")
        return subprocess.run(
            [squawk, "--config", configuration, *files], cwd=target, check=False
        ).returncode


def _write_sql(folder: Path, target: Path) -> Iterator[str]:
    """Write one file for each migration of a service; yield where it is below `target`."""
    config = Config()
    config.set_main_option("script_location", str(folder / "migrations"))
    for script in ScriptDirectory.from_config(config).walk_revisions():
        config.output_buffer = sql = io.StringIO()
        start = script.down_revision or "base"
        command.upgrade(config, f"{start}:{script.revision}", sql=True)
        file = Path(folder.name, Path(script.path).stem).with_suffix(".sql")
        (target / file).parent.mkdir(exist_ok=True)
        (target / file).write_text(_ignored_rules(Path(script.path)) + sql.getvalue())
        yield str(file)


def _ignored_rules(migration: Path) -> str:
    lines = []
    for said in _IGNORED.findall(migration.read_text()):
        match = _RULES_AND_REASON.fullmatch(said)
        if match is None:
            raise WithoutReason(f"{migration}: write `# squawk-ignore rule: reason`")
        lines.append(f"-- squawk-ignore-file {match[1]}\n")
    return "".join(lines)


if __name__ == "__main__":
    named = [Path(word).resolve() for word in sys.argv[1:]]
    sys.exit(main(named or [CHECKOUT / "services" / service for service in SERVICES]))
