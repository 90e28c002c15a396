"""Which Chrome or Chromium is installed, and its version. It starts no page and imports nothing heavy."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

NAMES = (
    "chrome-headless-shell",
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
PLACES = (
    "/usr/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find() -> Path | None:
    """Return the browser's program: the first known name on PATH, else at a usual place; None: there is none."""
    found = (shutil.which(name) for name in NAMES)
    places = (place for place in PLACES if os.access(place, os.X_OK))
    chosen = next((one for one in (*found, *places) if one), None)
    return Path(chosen) if chosen else None


@lru_cache(maxsize=1)
def version() -> str:
    """Return program and version, such as `chromium-140.0.7339.16`; `missing` when there is none or it does not say."""
    program = find()
    if program is None:
        return "missing"
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "missing"
    number = next((word for word in said.split() if word[:1].isdigit()), "missing")
    return f"{program.name.replace(' ', '-').lower()}-{number}"
