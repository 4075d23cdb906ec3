"""Questions with accepted answers, to be asked of an index of one's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import UsageError

from .files import bad_line, read_rows

UNANSWERABLE = "unanswerable"
CONTESTED = "contested"
FACT = "fact"


@dataclass(frozen=True, slots=True)
class Support:
    """A quote that supports an answer; `source` and `span` say where it stands, if that is known.

    `span` is (start, end) in characters of the stored document `source`.
    """

    quote: str
    source: str | None = None
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the wordings accepted as its answer, and the quotes that support it.

    `type` "unanswerable" wants a refusal, "contested" a quote of every entry of `support`; any other type
    ("fact", or a name of one's own) wants a quote of an accepted answer, or of `support` if there are none.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    support: tuple[Support, ...]
    type: str

    @property
    def answerable(self) -> bool:
        return self.type != UNANSWERABLE


def load_questions(file: str | Path) -> list[Question]:
    """Read lines of {"question", "answers", "support", "type"}; "id" (or "_id") is optional, else the line number.

    `answers` is a list of strings (or "answer" one string); `support` a list of strings or of {"quote"}, with
    "source", "start" and "end" where the quote's place in the stored document is known. Without a "type" a
    question is a fact, or unanswerable if `answers` is an empty list or "is_impossible" is true, as in
    SQuAD v2.0 (Rajpurkar et al., ACL 2018). Raises UsageError that names the first bad line.
    """
    file, questions = Path(file), dict[str, Question]()
    for number, row in read_rows(file):
        question = _question(file, number, row)
        if question.id in questions:
            raise bad_line(file, number, "question ids must differ", question.id)
        questions[question.id] = question
    if not questions:
        raise UsageError(f'{file} holds no questions: write lines of {{"question", "answers"}}')
    return list(questions.values())


def _question(file: Path, number: int, row: dict[str, Any]) -> Question:
    text, id = row.get("question"), row.get("id", row.get("_id", str(number)))
    if not isinstance(text, str) or not text.strip():
        raise bad_line(file, number, 'a line needs a "question"', row)
    if not isinstance(id, str | int):
        raise bad_line(file, number, '"id" must be a string', id)
    answers = _texts(row.get("answers", row.get("answer", [])))
    support = _support(row.get("support") or [])
    impossible = row.get("is_impossible", False)
    if answers is None:
        raise bad_line(file, number, '"answers" must be a list of strings', row.get("answers", row.get("answer")))
    if support is None:
        wanted = '"support" must be a list of quotes, each with "source", "start" and "end" or without'
        raise bad_line(file, number, wanted, row["support"])
    if not isinstance(impossible, bool):
        raise bad_line(file, number, '"is_impossible" must be true or false', impossible)
    refusal_wanted = impossible or ("answers" in row and not answers and not support)
    type = row.get("type", UNANSWERABLE if refusal_wanted else FACT)
    if not isinstance(type, str):
        raise bad_line(file, number, '"type" must be a string', type)
    if type == UNANSWERABLE and answers:
        raise bad_line(file, number, "an unanswerable question has no answers", list(answers))
    if type == CONTESTED and not support:
        raise bad_line(file, number, 'a contested question needs "support", a quote of each side', row)
    if type != UNANSWERABLE and not answers and not support:
        raise bad_line(file, number, f'a question of type "{type}" needs "answers" or "support"', row)
    return Question(str(id), text, answers, support, type)


def _texts(value: object) -> tuple[str, ...] | None:
    """A string, or a list of strings, as a tuple of strings; None if it is not."""
    texts = value if isinstance(value, list) else [value]
    kept = tuple(text for text in texts if isinstance(text, str) and text.strip())
    return kept if len(kept) == len(texts) else None


def _support(value: object) -> tuple[Support, ...] | None:
    """A quote, or a list of quotes or {"quote", "source", "start", "end"}; None if it is not."""
    entries = [
        entry if isinstance(entry, dict) else {"quote": entry}
        for entry in (value if isinstance(value, list) else [value])
    ]
    quotes = _texts([entry.get("quote") for entry in entries])
    if quotes is None:
        return None
    support = []
    for quote, entry in zip(quotes, entries, strict=True):
        source, start, end = (entry.get(name) for name in ("source", "start", "end"))
        if start is None and end is None:
            support.append(Support(quote, source if isinstance(source, str) else None))
        elif isinstance(source, str) and isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
            support.append(Support(quote, source, (start, end)))
        else:
            return None
    return tuple(support)
