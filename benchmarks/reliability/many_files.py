"""A folder of many small files: a first index, and what it costs when little or nothing changed.

python benchmarks/reliability/many_files.py --files 10000
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from recording import cost, record

FOOTNOTED = Path(sys.executable).with_name("footnoted")
WORDS = (
    "ice",
    "core",
    "engine",
    "winter",
    "fuel",
    "lamp",
    "sledge",
    "radio",
    "letter",
    "cook",
    "doctor",
    "storm",
    "power",
)


def text(shuffle: random.Random, number: int) -> str:
    sentences = [" ".join(shuffle.choices(WORDS, k=9)).capitalize() + "." for _ in range(3)]
    return f"Note {number}. {' '.join(sentences)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    shuffle = random.Random(5)
    figures: dict[str, object] = {"files": options.files}
    with tempfile.TemporaryDirectory() as folder:
        documents, out = Path(folder) / "documents", Path(folder) / "out.json"
        for number in range(options.files):
            path = documents / f"{number % 100:02}" / f"{number:05}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(shuffle, number))

        def step(name: str) -> None:
            used = cost([FOOTNOTED, "index", documents, "--index", Path(folder) / "index", "--json"], out)
            done = json.loads(out.read_text())
            counts = {status: count for status, count in done["documents"].items() if count}
            figures[name] = {
                "wall_s": round(used.wall, 2),
                "cpu_s": round(used.cpu, 2),
                "peak_mb": round(used.peak_mb),
                "embedded": done["embedded"],
                **counts,
            }
            print(name, figures[name], flush=True)

        step("first")
        step("unchanged")
        (documents / "00" / "00000.txt").write_text("Another text altogether.\n")
        step("one changed")
        (documents / "01" / "00001.txt").rename(documents / "01" / "renamed.txt")
        step("one renamed")
        (documents / "02" / "00002.txt").unlink()
        step("one removed")
    unchanged = figures["unchanged"]
    assert isinstance(unchanged, dict)
    record("many_files", {**figures, "asked": "unchanged at most 5 s, nothing embedded"})
    sys.exit(0 if unchanged["wall_s"] <= 5 and unchanged["embedded"] == 0 else 1)


if __name__ == "__main__":
    main()
