"""One refresh of the large company, and what each of its steps took of the processor.

    python benchmarks/size/by_step.py 2026-09-30

As the command does it, in a process of its own; the variables are those of the command. Prints JSON: step, seconds.
"""

import gc
import json
import os
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from refresh import Clock, watched

from cx_intel.__main__ import OBJECTS_BEFORE_COLLECTION
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import refresh
from cx_intel.settings.environment import read_environment


def main() -> None:
    gc.set_threshold(*OBJECTS_BEFORE_COLLECTION)
    environment, clock = read_environment(os.environ), Clock()
    with redirect_stdout(sys.stderr), instance_of(environment.home) as instance, watched(clock):
        definitions = build_definitions(environment, only=["large"])
        gc.freeze()
        outcome = refresh(definitions, "large", date.fromisoformat(sys.argv[1]), instance, clock.begin)
    if not outcome.succeeded:
        raise SystemExit(f"the refresh failed: {outcome.failures}")
    seconds: dict[str, float] = defaultdict(float)
    for (step, _), (_, processor) in clock.stop().items():
        seconds[step] += processor
    print(
        json.dumps({step: round(found, 2) for step, found in sorted(seconds.items(), key=lambda pair: -pair[1])}),
        flush=True,
    )
    os._exit(0)  # as the command ends


if __name__ == "__main__":
    main()
