"""A question beside a passage, as the reader sees them: one sequence of word pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from index.minilm import minilm_folder
from index.pieces import load_tokenizer, valid

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Word pieces of the question, of title and headings, and of all together, at most.
QUESTION = 48
CONTEXT = 24
LENGTH = 256


@dataclass(frozen=True, slots=True)
class Window:
    """`ids` are [CLS] question [SEP] context [SEP] text [SEP]; without context, [CLS] question [SEP] text [SEP].

    The text's pieces begin at `begin`; `offsets[i]` are the (start, end) characters of piece `begin + i`
    in the text. What does not fit LENGTH is cut off at the end.
    """

    ids: tuple[int, ...]
    begin: int
    offsets: tuple[tuple[int, int], ...]


def windows(questions: Sequence[str], contexts: Sequence[str], texts: Sequence[str]) -> list[Window]:
    """A window for each question with its context and text; what is repeated is cut into pieces once."""
    tokenizer = _tokenizer()
    distinct = list(dict.fromkeys([*questions, *contexts, *texts]))
    encoded = tokenizer.encode_batch([valid(text) for text in distinct], add_special_tokens=False)
    pieces = dict(zip(distinct, encoded, strict=True))
    special = {name: tokenizer.token_to_id(name) or 0 for name in ("[CLS]", "[SEP]")}
    begins, ends = special["[CLS]"], special["[SEP]"]
    made = []
    for question, context, text in zip(questions, contexts, texts, strict=True):
        before = [begins, *pieces[question].ids[:QUESTION], ends]
        if context:
            before += [*pieces[context].ids[:CONTEXT], ends]
        room = LENGTH - len(before) - 1
        ids = (*before, *pieces[text].ids[:room], ends)
        made.append(Window(ids, len(before), tuple(pieces[text].offsets[:room])))
    return made


@cache
def _tokenizer() -> "Tokenizer":
    return load_tokenizer(minilm_folder())
