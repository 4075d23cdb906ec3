"""Footnoted in a running process.

python with_footnoted.py change STORE            answers lines of JSON: "update" with how many passages were embedded,
                                                 {"passages": NAME} with the texts of a file's passages
python with_footnoted.py answer STORE READER     answers a line of questions with the seconds that each took
"""

import sys
import time
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


def answer(store: Path, reader: str) -> None:
    system = System.open(store, reader=READERS[reader])

    def seconds(question: str) -> float:
        started = time.perf_counter()
        system.answer(question)
        return time.perf_counter() - started

    answering(lambda questions: [seconds(question) for question in questions])


if __name__ == "__main__":
    if sys.argv[1] == "change":
        change(Path(sys.argv[2]))
    else:
        answer(Path(sys.argv[2]), sys.argv[3])
