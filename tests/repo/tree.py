"""The files of this project, as git sees them: tracked, or new and not ignored."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contract", "features", "models", "tiers", "training", "serving", "tiercast")
NOT_OURS = {".git", ".venv", "mlruns", "demo", "out", "dist", "build", "__pycache__"}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project. Without git (a downloaded archive) every file that no tool has made."""
    if shutil.which("git") and (ROOT / ".git").exists():
        asked = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split("\0")
        found = {ROOT / name for name in names if name}
    else:
        found = {path for path in ROOT.rglob("*") if not is_made(path)}
    return tuple(sorted(path for path in found if path.is_file()))


def is_made(path: Path) -> bool:
    """Did a tool make this file? Only asked where git cannot tell."""
    parts = path.relative_to(ROOT).parts
    is_hidden = parts[0].startswith(".") and parts[0] not in {".ci", ".gitignore", ".pre-commit-config.yaml"}
    return is_hidden or any(part in NOT_OURS for part in parts)


def installed(path: Path) -> str:
    """Where a file of a package lies once it is installed: everything is inside `tiercast`."""
    return tree_name if (tree_name := name(path)).startswith("tiercast/") else f"tiercast/{tree_name}"


def modules(*folders: str) -> list[Path]:
    """The Python files of some top-level folders; of all when none is named."""
    inside = [path for path in files() if path.suffix == ".py"]
    return [path for path in inside if not folders or path.relative_to(ROOT).parts[0] in folders]


def pages() -> list[Path]:
    """The Markdown pages that a reader may open."""
    return [path for path in files() if path.suffix == ".md"]


def name(path: Path) -> str:
    """How a test calls a file in its message."""
    return path.relative_to(ROOT).as_posix()
