"""Which key of what a vendor keeps of a company beside its own columns names the account, such as one of Stripe's metadata.

A preset has it as its option `account_key`; how its links use it stands in the preset. Ids in columns of their own are
judged in `agreement.py`.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.presets import PresetProposal
from cx_intel.settings.yaml.presets import preset_of
from cx_intel.sources.files.heads import name_of_head

ACCOUNT_KEY = "account_key"
FEWEST = 2
"""Ids of accounts that a key has to hold."""


def with_account_keys(
    presets: Iterable[PresetProposal], found: Sequence[FoundFiles], folder: Path, accounts: Collection[str]
) -> list[PresetProposal]:
    """The presets, each with the key under which its files name most accounts, where that is not the one it would read.

    Args:
        presets: Those that fit.
        found: The files of the folder.
        folder: That looked at.
        accounts: The ids of the accounts seen.
    """
    return [_with_key(preset, found, folder, accounts) for preset in presets]


def _with_key(
    preset: PresetProposal, found: Sequence[FoundFiles], folder: Path, accounts: Collection[str]
) -> PresetProposal:
    if ACCOUNT_KEY not in (options := preset_of(preset.name).options):
        return preset
    read = [f for f in found if any(name_of_head(p.relative_to(folder).as_posix()) in preset.files for p in f.paths)]
    named = Counter(
        key for files in read for key, value in _kept(files) if value in accounts and re.fullmatch(r"[\w .-]+", key)
    )
    ((key, often), *_) = named.most_common(1) or [("", 0)]
    return replace(preset, account_key=key) if often >= FEWEST and key != options[ACCOUNT_KEY] else preset


def _kept(files: FoundFiles) -> Iterator[tuple[str, str]]:
    """What the objects in cells of a file hold under their keys."""
    for row in files.rows:
        for cell in row.values():
            if cell and cell.startswith("{"):
                try:
                    held = json.loads(cell)
                except ValueError:
                    continue
                yield from ((key, str(value)) for key, value in held.items() if isinstance(value, str | int))
