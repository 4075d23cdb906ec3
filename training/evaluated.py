"""What is evaluated, so that nothing of it is trained on."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from index.documents import Document
from index.loading import load
from index.sentences import sentence_spans

# The folders of ../shared/data that are not for training.
FOLDERS = ("seed", "scifact", "cranfield", "squad-v2.0-dev", "chunking-evaluation", "conversation", "papers", "wice",
           "xquad")  # fmt: skip
# Words from which on a sentence is its text's own, not a phrase that anybody might write.
LONG = 10
_WORD = re.compile(r"\w+")


def key(text: str) -> str:
    """A text by its words alone, as case, spaces and punctuation differ between copies."""
    return " ".join(_WORD.findall(text.casefold()))


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The `questions` of the evaluation collections, and the long `sentences` of their texts, by `key`."""

    questions: frozenset[str]
    sentences: frozenset[str]

    def asks(self, question: str) -> bool:
        return key(question) in self.questions

    def holds(self, text: str) -> bool:
        """Whether a text is one of the evaluated ones, or shares a long sentence with them."""
        return not self.sentences.isdisjoint(long_sentences(text))


def long_sentences(text: str) -> Iterator[str]:
    for start, end in sentence_spans(text):
        found = key(text[start:end])
        if found.count(" ") >= LONG - 1:
            yield found


def load_evaluated(data: Path) -> Evaluated:
    """Every question, claim and text of FOLDERS. Raises OSError if one is missing."""
    questions: set[str] = set()
    sentences: set[str] = set()
    for name in FOLDERS:
        folder = data / name
        if not folder.is_dir():
            raise FileNotFoundError(f"no {folder}: what is evaluated must be there, so that it can be left out")
        for file in sorted(folder.rglob("*")):
            for text, asked in _texts(file):
                if asked:
                    questions.add(key(text))
                else:
                    sentences.update(long_sentences(text))
    return Evaluated(frozenset(questions), frozenset(sentences))


def _texts(file: Path) -> Iterator[tuple[str, bool]]:
    """The texts of a file, and whether each is a question."""
    if file.suffix == ".jsonl":
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            asked = row.get("question") or (row.get("text") if file.stem.startswith("queries") else None)
            for turn in (asked or "").splitlines():
                yield turn.removeprefix("user: "), True
            if "claim" in row:
                yield row["claim"], True
            texts = [row["text"]] if file.stem == "corpus" else row.get("evidence", [])
            for text in texts:
                yield text, False
    elif file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield row["question"], True
    elif file.suffix in (".txt", ".md", ".pdf") and not file.stem.isupper():  # SOURCE, LICENSE
        yield from ((item.text, False) for item in load(file, file.name) if isinstance(item, Document))
