"""`footnoted ask` against the plain way (plain.py), as whole processes, in turn on the same machine.

python benchmarks/ask.py --file ../shared/data/seed/soviet-war-crimes.txt --runs 7
"""

import argparse
import sys
import tempfile
from pathlib import Path

from recording import cost, medians, record

HERE = Path(__file__).parent
FOOTNOTED = Path(sys.executable).with_name("footnoted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="a text file, one paragraph a line")
    parser.add_argument("--question", default="When did the Soviet Union finally recognize the Hague Conventions?")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours, plain = Path(folder) / "ours", Path(folder) / "plain"
        cost([FOOTNOTED, "index", options.file, "--index", ours])
        cost([sys.executable, HERE / "plain.py", "build", options.file, plain])
        commands = {
            "footnoted": [FOOTNOTED, "ask", options.question, "--index", ours],
            "without a reader": [FOOTNOTED, "ask", options.question, "--index", ours, "--reader", "none"],
            "plain": [sys.executable, HERE / "plain.py", "ask", plain, options.question],
        }
        costs = {name: [cost(command)] for name, command in commands.items()}  # a first one each, to warm the disk
        for _ in range(options.runs):
            for name, command in commands.items():
                costs[name].append(cost(command))
    figures = {name: medians(runs[1:]) for name, runs in costs.items()}
    for name in ("footnoted", "without a reader"):
        ratios = sorted(one.cpu / other.cpu for one, other in zip(costs[name][1:], costs["plain"][1:], strict=True))
        figures[f"cpu ratio, {name}"] = {"median": round(ratios[len(ratios) // 2], 3), "most": round(ratios[-1], 3)}
    record("ask", {"runs": options.runs, **figures})
    print(figures)


if __name__ == "__main__":
    main()
