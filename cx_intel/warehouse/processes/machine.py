"""What the kernel tells of processes: whether one has gone, what was killed for want of memory, when the machine came up.

A process number means something only where all programs of a home count in one space of numbers: not across containers,
which is what `saw_here` and `counts_alone` are for. What follows for a run is decided in
`cx_intel.orchestration.sensors.killed_runs`; elsewhere than on Linux nothing is told.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

HERE = ".here-"
"""Begins the name of the file that says that programs of the home run in a space of process numbers."""
PROC = Path("/proc")
SLACK_SECONDS = 2
"""The kernel counts the start of a process in hundredths of a second since a second that it rounds."""


@dataclass(frozen=True)
class Moment:
    """What a process notes when it begins, to be compared with what is so when it has gone.

    Attributes:
        pid: Its number.
        boot: Which start of the machine it lives in; empty where that is not told.
        oom_kills: How many processes the kernel had killed for want of memory.
    """

    pid: int
    boot: str
    oom_kills: int


def moment() -> Moment:
    """How things stand now."""
    return Moment(os.getpid(), _read("sys/kernel/random/boot_id").strip(), _oom_kills())


def booted_at() -> float:
    """When the machine came up, in seconds since 1970; 0 where that is not told."""
    found = re.search(r"^btime (\d+)$", _read("stat"), re.MULTILINE)
    return float(found[1]) if found else 0.0


def saw_here(folder: Path) -> None:
    """Notes that a program of the home runs in this space of process numbers; what was noted before a restart goes."""
    if name := _space():
        folder.mkdir(parents=True, exist_ok=True)
        boot = name.rpartition("-")[0]
        for old in folder.glob(f"{HERE}*"):
            if old.name.rpartition("-")[0] != boot:
                old.unlink(missing_ok=True)
        (folder / name).touch()


def counts_alone(folder: Path) -> bool:
    """Whether all programs of the home that were noted since the machine came up run in this space of process numbers."""
    name = _space()
    return bool(name) and {path.name for path in folder.glob(f"{HERE}*")} <= {name}


def has_gone(pid: int, at: float) -> bool:
    """Whether the process that had this number at a moment, in seconds since 1970, is over."""
    stat = _read(f"{pid}/stat")
    if not stat:
        return bool(booted_at())
    state, *fields = stat.rpartition(")")[2].split()
    began = booted_at() + int(fields[18]) / os.sysconf("SC_CLK_TCK")
    return state in "ZX" or began > at + SLACK_SECONDS


def _space() -> str:
    try:
        space = os.stat(PROC / "self" / "ns" / "pid").st_ino
    except OSError:
        return ""
    return f"{HERE}{moment().boot}-{space}"


def _oom_kills() -> int:
    found = re.search(r"^oom_kill (\d+)$", _read("vmstat"), re.MULTILINE)
    return int(found[1]) if found else 0


def _read(name: str) -> str:
    try:
        return (PROC / name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
