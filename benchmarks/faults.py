"""Faults planted in what a language model writes: how many are caught or shown, how many clean sentences are doubted.

    python benchmarks/faults.py --data ../shared/data

200 faults, 40 of each kind, and 200 clean sentences, seeded. Passages: `examples/` and every fourth paragraph of SQuAD
v2.0 dev's reported articles, in one index. A clean answer is a sentence of a passage under its right number: 100 as it
is written, 100 reworded by rule (what stands in brackets or after a last comma is left out). Faults: a number naming
no passage; the number of a passage without that sentence; one figure changed; the halves of two sentences of a
passage, put together as a quotation; and a stream that ends within a marker.

Each goes through `System.stream`, written in pieces of three characters. A fault is caught if its sentence carries no
footnote or the answer is quoted instead, shown if it is marked as weak; an invented marker, if it is never seen and a
notice says so; half a marker, if no piece ever shows it. A clean sentence is a false alarm if it is unsupported; the
weak ones are counted beside. Nothing is tuned on these.
"""

import argparse
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asked import squad_halves, squad_passages
from recording import record

from index import Index
from index.documents import Passage
from rag import System
from rag.answers import Answer
from rag.generator import Message
from rag.support import figures

KINDS = ("invented marker", "wrong passage", "changed number", "stitched quote", "half marker")
EACH, CLEAN = 40, 200
EXAMPLES = Path(__file__).parents[1] / "examples"
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Writer:
    """A language model that writes `text`; {right}, {wrong} and {none} become numbers of its prompt's passages."""

    sentence: str
    passage: Passage
    text: str = ""
    name: str = "faults"
    budget: int = 6000

    def generate(self, messages: Sequence[Message], within_s: float | None = None) -> Iterator[str]:
        blocks = re.split(r"(?m)^\[(\d+)\]\nBEGIN ", messages[1]["content"])[1:]
        numbers = dict(zip(blocks[1::2], map(int, blocks[::2]), strict=True))
        start = self.passage.text[:40].split("[")[0]
        right = next((number for block, number in numbers.items() if start in block), 1)
        wrong = next(n for block, n in numbers.items() if n != right and self.sentence not in block)
        text = self.text.format(right=right, wrong=wrong, none=98)
        yield from (text[at : at + 3] for at in range(0, len(text), 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    dice = random.Random(20261124)
    with tempfile.TemporaryDirectory() as folder:
        index = Index.build([EXAMPLES, _squad(options.data / "squad-v2.0-dev", Path(folder))], Path(folder) / "index")
        told = list(_sentences(index, dice))
        found: dict[str, Counter[str]] = {}
        for kind in KINDS:
            found[kind] = Counter(_fault(index, kind, told, dice) for _ in range(EACH))
        for number in range(CLEAN):
            kind = "clean, reworded" if number % 2 else "clean, as written"
            found.setdefault(kind, Counter())[_clean(index, told, dice, reworded=bool(number % 2))] += 1
    figures_ = {kind: dict(counts) for kind, counts in found.items()}
    print(json.dumps(figures_, indent=1))
    record("faults", figures_)


def _squad(data: Path, folder: Path) -> Path:
    """Every fourth paragraph of the articles that nothing was tuned on, as a corpus file."""
    passages = squad_passages(data)
    reported = {one.group for one in squad_halves(data)[1]}
    rows = [row for row in passages.rows if row["_id"].split("#")[0] in reported][::4]
    return type(passages)(tuple(rows)).write(folder)


def _sentences(index: Index, dice: random.Random) -> Iterator[tuple[Passage, int]]:
    """Plain sentences of the passages, in any order."""
    places = [
        (passage, number)
        for passage in map(index.passage, range(index.passages))
        for number in range(len(passage.sentences))
        if _plain(passage.quote(number))
    ]
    dice.shuffle(places)
    yield from places


def _plain(text: str) -> bool:
    """Whether it is a sentence of prose that no markup of ours or of Python's could be mistaken in."""
    return 8 <= len(text.split()) <= 40 and text[0].isupper() and text[-1] == "." and not set(text) & set('[]{}`|"“”')


def _fault(index: Index, kind: str, told: list[tuple[Passage, int]], dice: random.Random) -> str:
    while True:
        passage, number = told.pop()
        sentence = passage.quote(number)
        bad = {
            "invented marker": f"{sentence} [{{none}}]",
            "wrong passage": f"{sentence} [{{wrong}}]",
            "changed number": f"{_changed(sentence, passage, dice)} [{{right}}]",
            "stitched quote": f"“{_stitched(passage, number)}” [{{right}}]",
            "half marker": f"{sentence} [{{right}}",
        }[kind]
        if "“”" in bad or bad.startswith(" ["):
            continue
        answers = _asked(index, sentence, Writer(sentence, passage, bad))
        if kind == "half marker":
            pieces = [one.text for one in answers[:-1]]
            return "missed" if any(re.search(r"\[\d*$", text) for text in pieces) else "caught"
        if kind == "invented marker":
            return "caught" if _without_it(answers) else "missed"
        return _judged(answers[-1])


def _without_it(answers: Sequence[Answer]) -> bool:
    """Whether the marker of no passage is never seen, and its leaving out is said."""
    last = answers[-1]
    return not any("[98" in one.text for one in answers) and any("names no passage" in line for line in last.notices)


def _clean(index: Index, told: list[tuple[Passage, int]], dice: random.Random, *, reworded: bool) -> str:
    while True:
        passage, number = told.pop()
        sentence = passage.quote(number)
        said = _reworded(sentence) if reworded else sentence
        if reworded and said == sentence:
            continue
        last = _asked(index, sentence, Writer(sentence, passage, f"{said} [{{right}}]"))[-1]
        return {"caught": "false alarm", "shown": "weak", "missed": "supported"}[_judged(last)]


def _asked(index: Index, sentence: str, writer: Writer) -> list[Answer]:
    return list(System(index, generator=writer).stream(f"What of this: {sentence[:300]}", threshold=0))


def _judged(answer: Answer) -> str:
    """What became of the one sentence that was written."""
    if not answer.generator or answer.unsupported:
        return "caught"
    return "shown" if answer.weak else "missed"


def _changed(sentence: str, passage: Passage, dice: random.Random) -> str:
    """The sentence with one figure changed to one that its passage does not have; empty if it has none."""
    places = list(_DIGITS.finditer(sentence))
    known = figures(f"{passage.context} {passage.text}")
    if not places:
        return ""
    place = dice.choice(places)
    for _ in range(50):
        other = str(int(place[0]) + dice.choice([-30, -7, -3, -2, -1, 1, 2, 3, 7, 30]))
        if other.isdecimal() and not figures(other) & known:
            return sentence[: place.start()] + other + sentence[place.end() :]
    return ""


def _stitched(passage: Passage, number: int) -> str:
    """The first half of a sentence with the second half of another one of its passage; empty if there is none."""
    words = passage.quote(number).split()
    others = [passage.quote(at).split() for at in range(len(passage.sentences)) if abs(at - number) > 1]
    others = [one for one in others if len(one) >= 8 and _plain(" ".join(one))]
    return " ".join([*words[: len(words) // 2], *others[0][len(others[0]) // 2 :]]) if others else ""


def _reworded(sentence: str) -> str:
    shorter = re.sub(r" \([^()]*\)", "", sentence)
    if shorter == sentence and len(sentence.rpartition(", ")[0].split()) >= 6:
        shorter = sentence.rpartition(", ")[0] + "."
    return shorter


if __name__ == "__main__":
    main()
