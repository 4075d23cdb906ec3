"""Reading a file of questions."""

from pathlib import Path

import pytest

from eval.questions import Question, Support, load_questions
from index.errors import UsageError

SUPPORT = '"support" must be a list of quotes, each with "source", "start" and "end" or without'


def load(tmp_path: Path, *rows: str) -> list[Question]:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return load_questions(file)


def test_the_full_form(tmp_path: Path) -> None:
    line = (
        '{"id": "x1", "type": "contested", "question": "Why?", "answers": ["a", "b"],'
        ' "support": [{"line": 4, "quote": "one"}, "two", {"quote": "three", "source": "a.txt"},'
        ' {"quote": "four", "source": "a.txt", "start": 7, "end": 11}]}'
    )
    support = (Support("one"), Support("two"), Support("three", "a.txt"), Support("four", "a.txt", (7, 11)))
    assert load(tmp_path, line) == [Question("x1", "Why?", ("a", "b"), support, "contested")]


def test_rows_as_squad_has_them(tmp_path: Path) -> None:
    assert load(
        tmp_path,
        '{"_id": "5a", "question": "When?", "answers": ["1973"], "is_impossible": false, "passage_id": "p#0"}',
        '{"_id": "5b", "question": "Why?", "answers": [], "is_impossible": true, "passage_id": "p#0"}',
        '{"_id": "5c", "question": "Who?", "is_impossible": true}',
    ) == [
        Question("5a", "When?", ("1973",), (), "fact"),
        Question("5b", "Why?", (), (), "unanswerable"),
        Question("5c", "Who?", (), (), "unanswerable"),
    ]


def test_shorter_forms(tmp_path: Path) -> None:
    assert load(
        tmp_path,
        '{"question": "What?", "answer": "this", "files": ["a.pdf"]}',
        "",
        '{"question": "Who?", "answers": []}',
        '{"question": "Where?", "support": "here", "id": 9}',
        '{"question": "How?", "type": "number", "answers": ["5"], "support": null}',
    ) == [
        Question("1", "What?", ("this",), (), "fact"),
        Question("3", "Who?", (), (), "unanswerable"),
        Question("9", "Where?", (), (Support("here"),), "fact"),
        Question("5", "How?", ("5",), (), "number"),
    ]


@pytest.mark.parametrize(
    ("line", "wanted", "got"),
    [
        ("{broken", "every line must be one JSON object", "{broken"),
        ('{"answers": ["x"]}', 'a line needs a "question"', '{"answers": ["x"]}'),
        ('{"question": " ", "answer": "x"}', 'a line needs a "question"', '{"question": " ", "answer": "x"}'),
        ('{"question": "q", "answers": [1]}', '"answers" must be a list of strings', "[1]"),
        ('{"question": "q", "answer": ""}', '"answers" must be a list of strings', ""),
        ('{"question": "q", "answer": "x", "support": [{}]}', SUPPORT, "[{}]"),
        (
            '{"question": "q", "support": [{"quote": "x", "start": 3, "end": 4}]}',
            SUPPORT,
            '[{"quote": "x", "start": 3, "end": 4}]',
        ),
        (
            '{"question": "q", "support": [{"quote": "x", "source": "a", "start": 4, "end": 4}]}',
            SUPPORT,
            '[{"quote": "x", "source": "a", "start": 4, "end": 4}]',
        ),
        ('{"question": "q", "is_impossible": "yes"}', '"is_impossible" must be true or false', "yes"),
        (
            '{"question": "q", "answers": ["x"], "is_impossible": true}',
            "an unanswerable question has no answers",
            '["x"]',
        ),
        ('{"question": "q", "answer": "x", "id": [1]}', '"id" must be a string', "[1]"),
        ('{"question": "q", "answer": "x", "id": "first"}', "question ids must differ", "first"),
        ('{"question": "q", "answer": "x", "type": 3}', '"type" must be a string', "3"),
        (
            '{"question": "q", "answer": "x", "type": "unanswerable"}',
            "an unanswerable question has no answers",
            '["x"]',
        ),
        (
            '{"question": "q", "answer": "x", "type": "contested"}',
            'a contested question needs "support", a quote of each side',
            '{"question": "q", "answer": "x", "type": "contested"}',
        ),
        ('{"question": "q"}', 'a question of type "fact" needs "answers" or "support"', '{"question": "q"}'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, wanted: str, got: str) -> None:
    with pytest.raises(UsageError) as error:
        load(tmp_path, '{"question": "fine?", "answer": "yes", "id": "first"}', line)
    assert str(error.value) == f"{tmp_path / 'questions.jsonl'} line 2: {wanted}, got {got!r}"


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        load(tmp_path, "")
    wanted = 'holds no questions: write lines of {"question", "answers"}'
    assert str(error.value) == f"{tmp_path / 'questions.jsonl'} {wanted}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        load_questions(tmp_path / "none.jsonl")
    assert str(error.value) == f"no such file: {tmp_path / 'none.jsonl'}"
