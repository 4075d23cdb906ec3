"""Every regular expression of the project takes time in proportion to its text (R24)."""

import re
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("index", "rag", "ui", "eval")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
# Patterns that are only ever given so many characters, of which a moment may be lost.
BOUNDED = {
    "index.formats.code._PYTHON": 200,
    "index.formats.code._OTHER": 200,
    "index.formats.joining._JOINS": 80,
    "index.formats.joining._LAST": 60,
    "index.formats.table._NUMBER": 100,
}
# Characters of the shorter text, and how many times longer the other is.
LENGTH, TIMES = 500, 8
# Linear is TIMES, quadratic TIMES squared; caches and garbage are in between.
MOST = 2.5 * TIMES
# Seconds under which a figure is noise, and seconds that the longer text may take at all.
NOISE, TOO_LONG = 0.002, 20.0


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """The compiled patterns that a module keeps, by themselves or in a tuple, list or dictionary."""
    for path in SOURCES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for label, value in vars(import_module(name)).items():
            values = list(value.values()) if isinstance(value, dict) else value
            for number, one in enumerate(values if isinstance(values, tuple | list) else [value]):
                if isinstance(one, re.Pattern) and isinstance(one.pattern, str):
                    yield f"{name}.{label}{f'[{number}]' if one is not value else ''}", one


def characters(parsed: object) -> Iterator[str]:
    """One character of every kind that a pattern speaks of, in its order."""
    for op, argument in parsed:  # type: ignore[attr-defined]
        if op in (constants.LITERAL, constants.NOT_LITERAL):
            yield chr(argument)
        elif op is constants.RANGE:
            yield chr(argument[0])
        elif op is constants.CATEGORY:
            yield {"DIGIT": "1", "SPACE": " ", "WORD": "a"}.get(str(argument).rsplit("_", 1)[-1], "-")
        elif op is constants.ANY:
            yield "x"
        elif op is constants.IN:
            yield from characters(argument)
        elif op is constants.BRANCH:
            for branch in argument[1]:
                yield from characters(branch)
        elif op is constants.SUBPATTERN:
            yield from characters(argument[-1])
        elif op in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            yield from characters(argument[2])
        elif op in (constants.ASSERT, constants.ASSERT_NOT):
            yield from characters(argument[1])


def attacks(pattern: re.Pattern[str]) -> list[str]:
    """What is repeated to make a pattern go back and forth: its characters, pairs of them, its beginning, all of it."""
    met = list(dict.fromkeys([*characters(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)), *"a1 \n.-"]))[:24]
    said = "".join(characters(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)))
    pairs = [one + other for one, other in zip(met, met[1:] + met[:1], strict=True)]
    return list(dict.fromkeys([*met, *pairs, said[:60], said[: len(said) // 2][:60], "a b ", "1,1.", "A. ", "\n \n"]))


USES = {
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "search": lambda pattern, text: pattern.search(text),
    "finditer": lambda pattern, text: [None for _ in pattern.finditer(text)],
}
ALL_OF_THEM = frozenset({"findall", "finditer", "split", "sub", "subn"})


def uses(name: str) -> set[str]:
    """How the code uses a pattern; what passes it on may do anything with it."""
    module, _, label = name.partition("[")[0].rpartition(".")
    called: set[str] = set()
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if path == Path(import_module(module).__file__) or (not label.startswith("_") and f" {label}" in text):
            called |= set(re.findall(rf"\b{label}\.(\w+)\(", text))
    named = {"finditer" if one in ALL_OF_THEM else one for one in called}
    return named & set(USES) or {"match", "finditer"}


def seconds(pattern: re.Pattern[str], text: str, use: str) -> float:
    """CPU seconds to use the pattern so."""
    started = time.process_time()
    USES[use](pattern, text)
    return time.process_time() - started


def growth(pattern: re.Pattern[str], repeated: str, use: str = "finditer") -> float:
    """How many times longer the longer text takes; 0 if it takes next to nothing."""
    for ending in ("", "\x00"):
        longer = (repeated * (LENGTH * TIMES))[: LENGTH * TIMES] + ending
        took = seconds(pattern, longer, use)
        if took > NOISE:
            took = min(took, *(seconds(pattern, longer, use) for _ in range(2 if took < 1 else 0)), TOO_LONG)
            shorter = longer[:LENGTH] + ending
            short = min(seconds(pattern, shorter, use) for _ in range(3))
            if took > NOISE and took / max(short, 1e-6) > MOST:
                return took / max(short, 1e-6)
    return 0.0


FOUND = dict(patterns())


def test_the_patterns_are_found() -> None:
    assert {"rag.questions._OVERVIEW", "ui.messages._MARKUP", "ui.printing._CONTROL"} <= set(FOUND)
    assert len(FOUND) > 40


def test_a_pattern_that_goes_back_and_forth_is_noticed() -> None:
    assert growth(re.compile(r"\s+$"), " ") > MOST
    assert growth(re.compile(r"(\w+)\s*=\s*;"), "a") > MOST
    assert growth(re.compile(r"\w+"), "a") == 0.0


@pytest.mark.parametrize("name", FOUND)
def test_time_grows_with_the_text_and_no_faster(name: str) -> None:
    pattern = FOUND[name]
    if most := BOUNDED.get(name):
        took = max(
            min(seconds(pattern, (attack * most)[:most], use) for _ in range(3))
            for attack in attacks(pattern)
            for use in uses(name)
        )
        assert took < 10 * NOISE
        return
    slow = {f"{use} {attack[:60]!r}": found for use in uses(name) for attack in attacks(pattern)
            if (found := growth(pattern, attack, use))}  # fmt: skip
    assert not slow
