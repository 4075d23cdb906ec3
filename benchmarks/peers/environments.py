"""Where the peers are: the environments that `make bench-peers` makes."""

import sys
from importlib.metadata import distributions
from pathlib import Path

HERE = Path(__file__).parent
BENCH = HERE.parents[1] / ".bench"
PEERS = ("langchain", "llamaindex", "txtai")


def driver(peer: str) -> list[Path]:
    """How a peer's driver is started. Ends the program where its environment is missing."""
    python = BENCH / peer / "bin" / "python"
    if not python.exists():
        sys.exit(f"no environment for {peer} at {python.parent.parent}: run  make bench-peers")
    return [python, HERE / f"with_{peer}.py"]


def versions(peer: str) -> dict[str, str]:
    """The versions of what a peer's requirements name."""
    lines = (HERE / f"{peer}.txt").read_text().splitlines()
    asked = {line.partition("==")[0] for line in lines} | {"torch"}
    (packages,) = (BENCH / peer / "lib").glob("python*/site-packages")
    found = {one.name.lower(): one.version for one in distributions(path=[str(packages)])}
    return {name: found[name] for name in sorted(asked)}
