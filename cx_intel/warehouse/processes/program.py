"""A fingerprint of the program: what decides, beside data and settings, how tables and files come out.

The files of the package by their contents, and which distributions are installed in which version. What is concluded
from it stands where tables (`cx_intel.orchestration.assets.unchanged`) and files (`cx_intel.reports.made_from`) are made.
"""

import hashlib
import sys
from functools import lru_cache
from pathlib import Path
from zoneinfo import TZPATH

import cx_intel


@lru_cache(maxsize=1)
def program() -> str:
    """Changes with every change of a file of the package, of an installed distribution and of Python itself."""
    found = hashlib.sha256(sys.version.encode())
    root = Path(cx_intel.__file__).parent
    for file in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        found.update(f"\0{file.relative_to(root)}\0".encode())
        found.update(file.read_bytes())
    installed = {info.name for folder in map(Path, sys.path) if folder.is_dir() for info in folder.glob("*.dist-info")}
    found.update("\0".join(sorted(installed)).encode())
    return found.hexdigest()


@lru_cache
def time_zone(name: str) -> str:
    """Changes with the rules of a time zone, where the system keeps them; those of the tzdata package are a distribution."""
    for folder in TZPATH:
        file = Path(folder, name)
        if file.is_file():
            return hashlib.sha256(file.read_bytes()).hexdigest()
    return ""
