"""How many processors there are for this process."""

import os

_most: int | None = None


def at_most(processors: int) -> None:
    """From now on this process has no more of them: others share the machine with it."""
    global _most
    _most = processors


def cores() -> int:
    """Those that it may run on: fewer than the machine has in most containers and under `taskset`."""
    if hasattr(os, "sched_getaffinity"):
        here = len(os.sched_getaffinity(0))
    else:
        here = os.cpu_count() or 1
    return min(here, _most or here)
