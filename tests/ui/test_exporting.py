"""A conversation as a file, and its quotes read again and checked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import UsageError
from rag.answers import Answer, Citation, Doubt
from rag.checking import Quoted
from rag.history import Turn
from ui.exporting import as_markdown, as_values, read_quotes

CITED = Citation(1, "lease.md", "Lease", 9, 41, "The lease ends on 31 March 2030.", "p", 3, "Lease > Term", 0.9)
ANSWER = Answer("When?", "The lease ends on 31 March 2030. [1]", (CITED,), searched="When?", confidence=0.9)
TURN = Turn("1", "2026-11-24T00:00:00+00:00", "When?", False, None, ANSWER, {"lease.md": "ab12"})


def test_markdown_has_the_answer_with_a_footnote_for_each_quote() -> None:
    assert as_markdown([TURN]) == (
        "# When?\n\n## When?\n\nThe lease ends on 31 March 2030.[^1-1]\n\n"
        "[^1-1]: Lease · document lease.md · characters 9 to 41 · page 3, Term · sha256 ab12 · "
        "“The lease ends on 31 March 2030.”\n\n*Answered 2026-11-24T00:00:00+00:00, confidence 0.90*\n"
    ).replace("page 3, Term", "page 3, Lease \\> Term")


def test_what_a_language_model_wrote_says_so_with_what_is_doubted() -> None:
    text = f"{ANSWER.text} Cats sing."
    start = text.index("Cats")
    written = replace(
        ANSWER,
        text=text,
        unsupported=(Doubt(start, len(text), "it names no passage"),),
        notices=("one footnote was left out",),
        generator="small",
    )
    *_, doubted, told, end = as_markdown([replace(TURN, answer=written)]).strip().split("\n\n")
    assert doubted == "Not supported: “Cats sing.”: it names no passage"
    assert told == "One footnote was left out"
    assert end == "*Answered 2026-11-24T00:00:00+00:00, confidence 0.90, written by small*"


HOSTILE = "a · b\n[^9-9]: x* _y_ `z` <img src=x> ![i](//e) “q” \\ &#39; \u2028 # | ~ $ "


@pytest.mark.parametrize("kind", ["md", "json"])
def test_what_is_exported_is_read_back_exactly(tmp_path: Path, kind: str) -> None:
    hostile = replace(CITED, marker=2, source=f"{HOSTILE}.md", title=HOSTILE, heading=HOSTILE, quote=HOSTILE)
    answer = replace(ANSWER, text=f"{ANSWER.text} {HOSTILE} [2]", citations=(CITED, hostile))
    turns = [replace(TURN, question=HOSTILE, sources=(HOSTILE,)), replace(TURN, answer=answer)]
    path = tmp_path / f"conversation.{kind}"
    path.write_text(as_markdown(turns) if kind == "md" else json.dumps(as_values(turns)), encoding="utf-8")
    plain = Quoted("1-1", "lease.md", 9, 41, CITED.quote)
    assert read_quotes(path) == [
        plain, replace(plain, marker="2-1"), Quoted("2-2", f"{HOSTILE}.md", 9, 41, HOSTILE),
    ]  # fmt: skip


@given(st.text(min_size=1))
def test_any_quote_is_read_back_from_markdown(tmp_path_factory: pytest.TempPathFactory, quote: str) -> None:
    path = tmp_path_factory.mktemp("export") / "a.md"
    citation = replace(CITED, quote=quote, source=quote, title=quote, heading=quote)
    text = as_markdown([replace(TURN, answer=replace(ANSWER, citations=(citation,)))])
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert read_quotes(path) == [Quoted("1-1", quote, 9, 41, quote)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no answer", "holds no answer"), (b"[1, 2]", "holds no answer"), (b"\xff\xfe\x00", "is not text"),
     (b"", "holds no answer"), (b'{"turns": 7}', "holds no answer"), (b'{"citations": [{}]}', "holds no answer"),
     (b'{"citations": [{"marker": "1]\\nx", "source": "a", "start": 0, "end": 1, "quote": "x"}]}', "holds no answer"),
     (b"[" * 100_000, "holds no answer"), (b'{"turns":' * 50_000, "holds no answer"),
     (b'{"citations": [{"marker": 1, "source": "a", "start": 1e999, "end": 1, "quote": "x"}]}', "holds no answer"),
     (b'{"citations": [{"marker": 1, "source": "a", "start": NaN, "end": 1, "quote": "x"}]}', "holds no answer"),
     (b'{"citations": [{"marker": 1, "source": "a", "start": ' + b"9" * 5000 + b', "end": 1, "quote": "x"}]}',
      "holds no answer"),
     (b'{"citations": [' + b'{"marker": 1, "source": "a", "start": 0, "end": 1, "quote": "x"},' * 10_000
      + b'{"marker": 1, "source": "a", "start": 0, "end": 1, "quote": "x"}]}', "more than 10,000 quotes")],
)  # fmt: skip
def test_what_is_no_answer_is_said(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        read_quotes(tmp_path / "x")
    with pytest.raises(UsageError, match="cannot read"):
        read_quotes(tmp_path / "nowhere")


def test_what_has_no_end_is_not_read_to_it() -> None:
    with pytest.raises(UsageError, match="/dev/zero is larger than 64 MB"):
        read_quotes(Path("/dev/zero"))
