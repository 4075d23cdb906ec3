"""A folder of hostile and good files, indexed: what became of each, the time and the memory it took.

python benchmarks/reliability/documents.py FOLDER      # made by ../shared/data/badinput/make_generated.py, say
"""

import argparse
import re
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]

from conftest import WordEmbedder  # noqa: E402
from recording import record  # noqa: E402

from index.indexing import update  # noqa: E402
from index.updates import Progress  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    times: list[tuple[float, str]] = []
    peaks: list[int] = [0]
    ended = threading.Event()

    def tell(progress: Progress) -> None:
        times.append((time.perf_counter(), progress.path))

    def watch() -> None:
        while not ended.wait(0.01):
            for task in Path("/proc/self/task").glob("*/children"):
                try:
                    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in task.read_text().split()]
                except OSError:
                    continue
                peaks.extend(int(found[1]) for one in statuses if (found := re.search(r"VmHWM:\s+(\d+)", one)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        with tempfile.TemporaryDirectory() as at:
            report = update(Path(at), [options.folder], embedder=WordEmbedder(dimension=64), progress=tell)
    finally:
        ended.set()
        thread.join()
    table = Counter(f"{row.status}: {re.sub(r'[0-9]+', 'N', row.reason)[:80] or '-'}" for row in report.files)
    seconds, path = max((after - before, name) for (before, name), (after, _) in pairwise(times) if name)
    figures = {
        "files": len(report.files),
        "documents": report.documents,
        "by status and reason": dict(table.most_common()),
        "seconds": round(report.seconds, 2),
        "slowest file": {"name": Path(path).name, "seconds": round(seconds, 2)},
        "peak MB": {
            "child": max(peaks) // 1024,
            "parent": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        },
    }
    for line, count in table.most_common():
        print(f"{count:5}  {line}")
    print({name: value for name, value in figures.items() if name != "by status and reason"})
    record("documents", figures)


if __name__ == "__main__":
    main()
