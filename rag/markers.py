"""Citation markers in what a language model writes: untrusted, taken out, kept beside the text.

As a text grows it is parsed anew from its start: what is shown of a part is the start of what is shown of the whole,
so half a marker never shows.
"""

import re
from dataclasses import dataclass

from index.normalising import visible

# Code as Markdown has it: a fence to its end or the text's, a span to its end or the line's.
_CODE = r"```.*?(?:```|\Z)|`[^`\n]*(?:`|(?=\n)|\Z)"
_PARSED = re.compile(rf"(?P<code>{_CODE})|\[(?P<numbers>[0-9]{{1,4}}(?: ?[,;] ?[0-9]{{1,4}})*)\]", re.DOTALL)
# What may still become a marker or a fence; blanks before a marker go with it.
_UNFINISHED = re.compile(r"(?:\[[0-9,; ]{0,60}|`{1,3})\Z")
_THOUGHT, _THOUGHT_END = "<think>", "</think>"
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without its markers. `markers` are (place in the text, number of a passage from 1), ascending by place;
    `dropped` counts markers whose passage there is not.
    """

    text: str
    markers: tuple[tuple[int, int], ...] = ()
    dropped: int = 0


def parse(written: str, passages: int, *, whole: bool = True) -> Marked:
    """What a model has written about so many passages; `whole`: it has ended, and nothing is held back.

    `[1]`, `[1, 3]` and `[1][2]` are markers; code is left alone. A thought (`<think>`) before the answer is no part
    of it.
    """
    written = _UNPRINTABLE.sub(" ", visible(_spoken(written, whole)))
    if not whole:
        written = _UNFINISHED.sub("", written)
    written = written.strip()
    text, markers, dropped, last = "", list[tuple[int, int]](), 0, 0
    for found in _PARSED.finditer(written):
        text += written[last : found.start()]
        last = found.end()
        if found["code"]:
            text += found["code"]
            continue
        text = text.rstrip()
        for number in dict.fromkeys(int(one) for one in re.split("[,;]", found["numbers"])):
            if 1 <= number <= passages:
                markers.append((len(text), number))
            else:
                dropped += 1
    return Marked((text + written[last:]).rstrip(), tuple(markers), dropped)


def _spoken(written: str, whole: bool) -> str:
    """The answer after a thought; nothing while it may still be one."""
    start = written.lstrip()
    if start.startswith(_THOUGHT):
        return start.partition(_THOUGHT_END)[2]
    return "" if not whole and start and _THOUGHT.startswith(start) else written
