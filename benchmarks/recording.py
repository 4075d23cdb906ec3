"""Results with what they were measured on."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from index.cores import cores

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("faiss-cpu", "gradio", "numpy", "onnxruntime", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class Cost:
    """A whole process: CPU seconds (user and system), wall seconds, peak memory in MB."""

    cpu: float
    wall: float
    peak_mb: float


def cost(command: Sequence[str | Path], output: Path = Path(os.devnull)) -> Cost:
    """Run a command to its end, what it prints going to `output`; raises CalledProcessError if it fails."""
    started = time.perf_counter()
    with output.open("wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdout=out)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - started, used.ru_maxrss / 1024)


def medians(costs: Sequence[Cost]) -> dict[str, float]:
    return {name: round(median(asdict(one)[name] for one in costs), 3) for name in ("cpu", "wall", "peak_mb")}


def record(name: str, figures: dict[str, object]) -> None:
    """Write benchmarks/results/NAME.json: the figures, the machine and the versions."""
    processor = next(
        (line.split(":", 1)[1].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.processor(),
    )
    values = {
        "figures": figures,
        "machine": {"processor": processor, "cores": cores(), "system": platform.platform()},
        "versions": {"python": platform.python_version(), **{package: version(package) for package in _PACKAGES}},
        "date": time.strftime("%Y-%m-%d"),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def measured(name: str) -> bool:
    """Whether there is benchmarks/results/NAME.json."""
    return (RESULTS / f"{name}.json").exists()


def recorded(name: str) -> dict[str, Any]:
    """What `record` wrote."""
    values: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return values


def figures_of(name: str) -> dict[str, Any]:
    figures: dict[str, Any] = recorded(name)["figures"]
    return figures


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
