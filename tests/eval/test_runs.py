"""Run files: what is written is what is read, and nothing that a reader would misread is written."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.runs import rank, read_run, strictly_descending, write_qrels, write_run
from index.errors import UsageError

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_the_lines_of_a_run_file(tmp_path: Path) -> None:
    write_run(tmp_path / "run.trec", {"q1": {"low": 0.25, "high": 1.5}, "q#2": {"d#1": 1 / 3}}, tag="me")
    assert (tmp_path / "run.trec").read_text() == (
        "q1 Q0 high 1 1.5 me\nq1 Q0 low 2 0.25 me\nq#2 Q0 d#1 1 0.3333333333333333 me\n"
    )


def test_the_lines_of_a_qrels_file(tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels.trec", {"q1": {"a": 2, "b": 0}, "q2": {"a": -1}})
    assert (tmp_path / "qrels.trec").read_text() == "q1 0 a 2\nq1 0 b 0\nq2 0 a -1\n"
    assert next(iter(ir_measures.read_trec_qrels(str(tmp_path / "qrels.trec"))))[:3] == ("q1", "a", 2)


def test_equal_scores_are_ordered_as_in_trec_eval() -> None:
    # last id first, by code points; 1 + 1e-9 is 1 in the 32 bits that trec_eval keeps
    assert rank({"a": 1.0, "b": 1.0, "10": 1.0, "9": 1.0, "B": 1.0}) == ["b", "a", "B", "9", "10"]
    assert rank({"a": 1.0 + 1e-9, "b": 1.0}) == ["b", "a"]
    assert rank({"a": 1.0 + 1e-6, "b": 1.0}) == ["a", "b"]
    assert rank({}) == []


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"), st.dictionaries(st.sampled_from("stuvwxyz"), FINITE, min_size=1)
    )
)
def test_a_run_survives_the_file(run: dict[str, dict[str, float]]) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "run.trec"
        write_run(file, run)
        assert read_run(file) == run


@given(
    st.lists(FINITE.filter(lambda x: abs(x) < 1e30), max_size=30).map(
        lambda scores: sorted(scores, reverse=True)
    )
)
def test_strictly_descending_falls_at_every_step_and_changes_little(scores: list[float]) -> None:
    fallen = strictly_descending(scores)
    assert all(one > two for one, two in pairwise(fallen))
    assert fallen == pytest.approx(scores, rel=1e-4, abs=1e-6)


def test_strictly_descending_keeps_what_falls_already() -> None:
    assert strictly_descending([1.0, 0.5, 0.25]) == [1.0, 0.5, 0.25]
    assert strictly_descending([0.0, 0.0, 0.0]) == pytest.approx([0.0, -1e-9, -2e-9])
    assert strictly_descending([0.5, 0.75]) == [0.5, 0.5 - 2**-25]  # the order given wins over the score


@pytest.mark.parametrize("id", ["two words", "tab\there", "", " x", "no\u00a0break"])
def test_ids_with_white_space_are_refused(tmp_path: Path, id: str) -> None:
    wanted = f"a TREC file cannot hold the id {id!r}: ids must not be empty or hold white space"
    for run in ({"q": {id: 1.0}}, {id: {"d": 1.0}}):
        with pytest.raises(UsageError) as error:
            write_run(tmp_path / "run.trec", run)
        assert str(error.value) == wanted
    with pytest.raises(UsageError) as error:
        write_qrels(tmp_path / "qrels.trec", {"q": {id: 1}})
    assert str(error.value) == wanted
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line", ["q1 Q0 d1 1 0.5", "q1 Q0 d1 1 high tag", "q1 Q0 d1 1 nan tag", "q1 Q0 a b 1 0.5 tag"]
)
def test_a_bad_run_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "run.trec").write_text(f"q1 Q0 d0 1 0.9 tag\n\n{line}\n")
    with pytest.raises(UsageError) as error:
        read_run(tmp_path / "run.trec")
    wanted = "a run line is: query Q0 document rank score tag"
    assert str(error.value) == f"{tmp_path / 'run.trec'} line 3: {wanted}, got {line!r}"


def test_a_document_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.trec").write_text("q1 Q0 d1 1 0.9 tag\nq1 Q0 d1 2 0.8 tag\n")
    with pytest.raises(
        UsageError, match=r"line 2: a document is retrieved once for a query, got 'q1 Q0 d1 2 0\.8 tag'"
    ):
        read_run(tmp_path / "run.trec")


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_run(tmp_path / "none.trec")
    assert str(error.value) == f"no such file: {tmp_path / 'none.trec'}"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(UsageError, match=f"^cannot write {tmp_path / 'taken' / 'run.trec'}: "):
        write_run(tmp_path / "taken" / "run.trec", {"q": {"d": 1.0}})
