"""The short forms of benchmarks/reliability: the same code, fewer runs."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks.reliability.faults import Bar  # noqa: E402 - found through the line above


@pytest.fixture
def bar() -> Bar:
    return Bar.named("short")
