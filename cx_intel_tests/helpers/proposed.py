"""What is proposed for a file of one's own."""

from pathlib import Path

from cx_intel.proposals.finding import known_contracts
from cx_intel.proposals.folders import FoundFiles, look_into
from cx_intel.proposals.tables import TableProposal, proposed


def found_in(folder: Path, name: str, text: str, encoding: str = "utf-8") -> FoundFiles:
    data = folder / "data"
    data.mkdir()
    (data / name).write_text(text, encoding=encoding)
    (found,) = look_into(data, folder / "samples")
    return found


def proposal(folder: Path, name: str, text: str) -> TableProposal:
    made = proposed(found_in(folder, name, text), known_contracts())
    assert made is not None
    return made
