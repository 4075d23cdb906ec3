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
class Question:
    """A question, the wordings accepted as its answer, and the quotes that support it.

    `type` "unanswerable" wants a refusal, "contested" a quote of every entry of `support`; any other type
    ("fact", or a name of one's own) wants a quote of an accepted answer, or of `support` if there are none.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    support: tuple[str, ...]
    type: str

    @property
    def answerable(self) -> bool:
        return self.type != UNANSWERABLE


def load_questions(file: str | Path) -> list[Question]:
    """Read lines of {"question", "answers", "support", "type"}; "id" is optional, else the line number.

    `answers` is a list of strings (or "answer" one string); `support` a list of strings or of
    {"quote": string}. Without a "type" a question is a fact, or unanswerable if `answers` is an empty list.
    Raises UsageError that names the first bad line.
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
    text, id = row.get("question"), row.get("id", str(number))
    if not isinstance(text, str) or not text.strip():
        raise bad_line(file, number, 'a line needs a "question"', row)
    if not isinstance(id, str | int):
        raise bad_line(file, number, '"id" must be a string', id)
    answers = _texts(row.get("answers", row.get("answer", [])))
    support = _texts(row.get("support") or [])
    if answers is None:
        raise bad_line(file, number, '"answers" must be a list of strings', row.get("answers", row.get("answer")))
    if support is None:
        raise bad_line(file, number, '"support" must be a list of quotes', row["support"])
    refusal_wanted = "answers" in row and not answers and not support
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
    """A string, or a list of strings or {"quote": string}, as a tuple of strings; None if it is not."""
    entries = value if isinstance(value, list) else [value]
    texts = [entry.get("quote") if isinstance(entry, dict) else entry for entry in entries]
    kept = tuple(text for text in texts if isinstance(text, str) and text.strip())
    return kept if len(kept) == len(texts) else None
