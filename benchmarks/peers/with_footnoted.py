"""Footnoted in a running process.

python with_footnoted.py change STORE            answers lines of JSON: "update" with how many passages were embedded,
                                                 {"passages": NAME} with the texts of a file's passages
python with_footnoted.py answer STORE READER     answers a line of questions with the seconds that each took
python with_footnoted.py embed STORE             the same, the questions only being embedded
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from driving import answering

from index import Index
from rag.reader import READERS
from rag.system import System


def change(store: Path) -> None:
    index = Index.open(store)
    index.check_model()  # the model is loaded before the first change

    def done(given: str | dict[str, str]) -> int | list[str]:
        nonlocal index
        if isinstance(given, dict):
            return [index.passage(row).text for row in index.rows_of(given["passages"])]
        embedded = index.update().embedded
        index = index.current()
        return embedded

    answering(done)


def timed(done: Callable[[str], object]) -> None:
    def seconds(question: str) -> float:
        started = time.perf_counter()
        done(question)
        return time.perf_counter() - started

    answering(lambda questions: [seconds(question) for question in questions])


if __name__ == "__main__":
    command, store, *rest = sys.argv[1:]
    if command == "change":
        change(Path(store))
    elif command == "embed":
        timed(Index.open(store).embed_query)
    else:
        timed(System.open(store, reader=READERS[rest[0]]).answer)
