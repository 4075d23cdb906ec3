"""The places that an index of the tests can be in."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from index.stores import bind

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks.reliability.servers import Missing, Server, check_lite  # noqa: E402, F401

FOLDER, LITE, LITE_SERVER, REAL = KINDS = ("folder", "lite", "lite server", "milvus 2.3.5")
MILVUS = KINDS[1:]
SERVERS = KINDS[2:]


@dataclass(frozen=True, slots=True)
class Place:
    """Room for one index: `address` is empty for a folder, `server` there is for those that run beside this process."""

    kind: str
    address: str
    server: Server | None
    folder: Path

    def at(self, name: str = "at") -> Path:
        """A folder that stands for the index; one of another name is as if on another machine."""
        folder = self.folder / name
        if self.address:
            bind(folder, self.address)
        return folder

    @property
    def has_bm25(self) -> bool:
        return self.kind != REAL


def cannot(missing: Missing) -> None:
    if os.environ.get("FOOTNOTED_SERVERS") == "required":
        pytest.fail(str(missing))
    pytest.skip(str(missing))


def only(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", kinds, indirect=True, ids=[kind.replace(" ", "-") for kind in kinds])
