"""Questions that their passage does not answer, though they read as if it did.

Sets of such questions are scarce (SQuAD 2.0 had people write them: Rajpurkar et al. 2018,
https://arxiv.org/abs/1806.03822), so they are made from answered ones by what those people did: another
name, another number, the opposite, another thing of the same text; or the answering sentence is taken away.
"""

import random
import re
from collections.abc import Sequence

_NAME = re.compile(r"(?:[A-Z][\w'’-]+|[A-Z]\.)(?:\s(?:of\s|the\s|de\s|von\s)?(?:[A-Z][\w'’-]+|[A-Z]\.|[IVX]+\b))*")
_NUMBER = re.compile(r"\b\d[\d,]*(?:\.\d+)?\b")
_WORD = re.compile(r"\b[a-z]{5,}\b")
_OPENING = frozenset(
    "the this that these those there what when where which who how why and but for his her its".split()  # noqa: SIM905
)
_FIRST = re.compile(r"\S+\s")
# Words that say nothing of their own, so that another in their place changes no sense.
_EMPTY = frozenset(
    """about above after again against along among around because before being below between could doing during each
    every first further given having known later might other over same should since some such than that their them
    then there these they thing things this those through type types under until used using were what when where which
    while whose with within without would called described does kind kinds many much name named form considered
    according happened person people people's place often since still also made make""".split()  # noqa: SIM905
)
_OPPOSITES = [
    pair.split("/")
    for pair in """first/last earliest/latest before/after more/less most/least increase/decrease increased/decreased
    increasing/decreasing largest/smallest larger/smaller large/small highest/lowest higher/lower high/low best/worst
    better/worse longest/shortest longer/shorter oldest/youngest older/younger old/new early/late earlier/later
    north/south northern/southern east/west eastern/western win/lose won/lost winning/losing start/end started/ended
    began/ended begin/end beginning/end open/close opened/closed buy/sell bought/sold above/below inside/outside
    support/oppose supported/opposed supporting/opposing accept/reject accepted/rejected allow/forbid allowed/forbidden
    male/female man/woman men/women father/mother son/daughter brother/sister king/queen husband/wife rise/fall
    rose/fell gain/lose gained/lost added/removed include/exclude included/excluded positive/negative public/private
    major/minor maximum/minimum always/never with/without strong/weak stronger/weaker rich/poor success/failure
    successful/unsuccessful victory/defeat defeated/saved arrived/left arrive/leave enter/leave
    import/export imports/exports modern/ancient urban/rural present/absent possible/impossible able/unable
    legal/illegal common/rare popular/unpopular majority/minority upper/lower top/bottom  day/night
    summer/winter hot/cold heavy/light fast/slow faster/slower hard/soft wet/dry up/down
    agree/disagree agreed/disagreed attack/defend attacked/defended create/destroy created/destroyed built/demolished
    founded/dissolved married/divorced born/buried lived/died appointed/dismissed joined/left
    friend/enemy allies/enemies advantage/disadvantage advantages/disadvantages strength/weakness
    benefit/harm""".split()  # noqa: SIM905
    if "/" in pair
]
_OPPOSITE = {word: other for one, other in _OPPOSITES for word, other in ((one, other), (other, one))}
_OPPOSED = re.compile(rf"\b(?:{'|'.join(sorted(_OPPOSITE, key=len, reverse=True))})\b")
_AUXILIARY = re.compile(r"\b(?:did|does|do|can|could|will|would|should|may|might)\s+(?!not\b)(?:the \w+|[A-Z]\w+|\w+)")


def deceive(question: str, passage: str, answers: Sequence[str], shuffle: random.Random) -> str | None:
    """The question changed so that the passage does not answer it; None if nothing in it can be."""
    ways = [_other_name, _other_number, _opposite, _other_thing, _negation]
    weights = [4, 3, 2, 3, 0.5]
    while ways:
        (way,) = shuffle.choices(ways, weights)
        changed = way(question, passage, answers, shuffle)
        if changed and changed.casefold() != question.casefold():
            return changed
        at = ways.index(way)
        del ways[at], weights[at]
    return None


def names(text: str) -> list[str]:
    """What has capitals within a sentence; a word that only opens one may be no name."""
    found = [one for one in _NAME.finditer(text) if len(one[0]) > 2 and one[0].lower() not in _OPENING]
    return [one[0] for one in found if " " in one[0] or (one.start() and text[one.start() - 2] not in ".!?\n")]


def _stands(name: str, text: str) -> bool:
    """Whether it stands there as a word of its own, in whatever case."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def alter(passage: str, question: str, answers: Sequence[str], shuffle: random.Random) -> str | None:
    """The passage with another name or number where it has one of the question's; None if it has none of them."""
    brought = [one for one in {*names(passage), *_NUMBER.findall(passage)} if _stands(one, question)]
    brought = sorted(one for one in brought if not any(one in answer for answer in answers))
    if not brought:
        return None
    old = shuffle.choice(brought)
    if old[0].isdigit():
        new = _near(old, shuffle)
    else:
        others = sorted({one for one in names(passage) if not _stands(one, question) and one not in answers})
        others = [one for one in others if old not in one and one not in old]
        if not others:
            return None
        new = shuffle.choice(others)
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, passage)


def _other_name(question: str, passage: str, answers: Sequence[str], shuffle: random.Random) -> str | None:
    """One of its names becomes another of the passage, which is not the answer."""
    first = _FIRST.match(question)
    skip = first.end() if first else 0
    said = " ".join(answers)
    here = names(passage)
    old = sorted({*names(question[skip:]), *(one for one in here if _stands(one, question))})
    new = sorted({one for one in here if not _stands(one, question) and not _stands(one, said)})
    if not old or not new:
        return None
    return _replaced(question, shuffle.choice(old), shuffle.choice(new))


def _other_number(question: str, passage: str, answers: Sequence[str], shuffle: random.Random) -> str | None:
    old = _NUMBER.findall(question)
    if not old:
        return None
    chosen = shuffle.choice(old)
    said = " ".join(answers)
    others = [one for one in _NUMBER.findall(passage) if one not in question and one not in said]
    alike = sorted({one for one in others if len(one) == len(chosen)})
    return _replaced(question, chosen, shuffle.choice(alike) if alike else _near(chosen, shuffle))


def _opposite(question: str, passage: str, answers: Sequence[str], shuffle: random.Random) -> str | None:
    found = list(_OPPOSED.finditer(question))
    if not found:
        return None
    one = shuffle.choice(found)
    return question[: one.start()] + _OPPOSITE[one[0]] + question[one.end() :]


def _other_thing(question: str, passage: str, answers: Sequence[str], shuffle: random.Random) -> str | None:
    """A word that the passage has too becomes another of the passage with the same ending, as nouns and verbs have."""
    here = set(_WORD.findall(passage)) - _EMPTY
    old = [word for word in _WORD.findall(question) if word not in _EMPTY and any(_kin(word, one) for one in here)]
    if not old:
        return None
    chosen = shuffle.choice(old)
    said = set(_WORD.findall(" ".join(answers)))
    new = sorted(
        one for one in here - said if one[-2:] == chosen[-2:] and one not in question and not _kin(one, chosen)
    )
    return _replaced(question, chosen, shuffle.choice(new)) if new else None


def _negation(question: str, passage: str, answers: Sequence[str], shuffle: random.Random) -> str | None:
    found = _AUXILIARY.search(question)
    if not found:
        return None
    return question[: found.end()] + " not" + question[found.end() :]


def _kin(one: str, other: str) -> bool:
    """Whether two words begin alike: forms of one word, as far as that tells."""
    return one[:5] == other[:5]


def _near(number: str, shuffle: random.Random) -> str:
    """Another number of as many digits, a year not far off."""
    digits = number.replace(",", "")
    if "." in digits:
        return f"{float(digits) * shuffle.choice((0.5, 0.8, 1.3, 2)):.{len(digits.partition('.')[2])}f}"
    value = int(digits)
    step = shuffle.randint(2, 40) if len(digits) == 4 else max(1, value // shuffle.choice((2, 3, 5)))
    changed = str(value + shuffle.choice((-1, 1)) * step if value > step else value + step)
    return f"{int(changed):,}" if "," in number else changed


def _replaced(text: str, old: str, new: str) -> str | None:
    changed, count = re.subn(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, text, count=1, flags=re.IGNORECASE)
    return changed if count else None
