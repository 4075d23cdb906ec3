"""Where what can be made again is kept."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """`FOOTNOTED_CACHE`, else the user's cache folder (XDG on Linux, Library/Caches on macOS)."""
    if given := os.environ.get("FOOTNOTED_CACHE"):
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "footnoted"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "footnoted"
