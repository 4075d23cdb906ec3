"""How many processors there are for this process."""

import os


def cores() -> int:
    """Those that it may run on: fewer than the machine has in most containers and under `taskset`."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
