"""Damaged indexes: a bit, a cut, a zeroed block, an older file, a missing, longer or empty one.

python -m benchmarks.reliability.damage --runs 2000

Every file that the current generation stands on is damaged in turn, in every way. Opening must refuse
and name the file, or announce that it fell back to an older generation; `verify` must name it too; an
update must refuse, or mend the index. Each is tried in a process of its own, so that a crash is seen.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.reliability.faults import (
    Bar,
    WordEmbedder,
    bring_up,
    contents,
    current_manifest,
    document,
    in_child,
    measured,
    outcome,
)
from index.errors import FootnotedError
from index.index import Index, verify
from index.manifest import CURRENT, read_manifest

_BLOCK = 512


def _flip(content: bytes, chance: random.Random, _: bytes) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def _zero(content: bytes, chance: random.Random, _: bytes) -> bytes:
    place = chance.randrange(0, len(content), _BLOCK)
    length = min(_BLOCK, len(content) - place)
    return content[:place] + bytes(length) + content[place + length :]


Damage = Callable[[bytes, random.Random, bytes], bytes | None]

# Each makes other bytes of a file's, or None where the file is to be gone; the last argument is the
# file of the same name that an older generation had.
DAMAGES: dict[str, Damage] = {
    "bit": _flip,
    "cut": lambda content, chance, _: content[: chance.randrange(len(content))],
    "zeroed block": _zero,
    "older": lambda _content, _chance, older: older,
    "missing": lambda *_: None,
    "longer": lambda content, chance, _: content + chance.randbytes(chance.randint(1, 9)),
    "longer by a line": lambda content, *_: content + b"\n",
    "empty": lambda *_: b"",
}


def build(docs: Path, at: Path) -> None:
    """An index of three generations, and a fourth that drops the first's only segment in part."""
    docs.mkdir(parents=True)
    for generation in range(3):
        for number in range(4):
            (docs / f"d{generation}{number}.txt").write_text(document(generation * 4 + number, generation))
        (docs / "d00.txt").write_text(document(0, generation))
        bring_up(at, docs)


def foundations(at: Path) -> dict[Path, bytes]:
    """Every file that the current generation stands on, with what an older one had under its name."""
    manifest = read_manifest(at)
    current = current_manifest(at)
    older = sorted(path for path in current.parent.iterdir() if path != current)[-1]
    pointed = f"{older.name} {'0' * 64}\n"
    files = {at / CURRENT: pointed.encode(), current: older.read_bytes()}
    for number, entry in enumerate(manifest.segments):
        other = manifest.segments[number - 1].name
        for name in entry.files:
            files[at / "segments" / entry.name / name] = (at / "segments" / other / name).read_bytes()
    return files


def examine(at: Path, docs: Path, name: str, sound: dict[str, Any]) -> dict[str, str]:
    """What opening, verifying and updating a damaged index gave: "ok" or what is wrong with it."""
    got = outcome(at)
    opened = "ok"
    # CURRENT holds the manifest's sum: where the two differ, either may be the damaged one.
    names = (name, "manifests") if name == CURRENT else (name,)
    if got.kind not in ("refused", "none", "fallback"):
        opened = "answered" if got.kind == "opened" else got.kind
    elif not any(one in got.line for one in names) and got.kind != "none":
        opened = f"unnamed: {got.line}"
    try:
        problems = verify(at)
        verified = "ok" if any(one in line for line in problems for one in names) else "not found"
    except FootnotedError as error:
        named = any(one in str(error) for one in names) or got.kind == "none"
        verified = "ok" if named else f"unnamed: {error}"
    except Exception as error:
        verified = f"crashed: {error!r}"
    return {"open": opened, "verify": verified, "update": _updated(at, docs, sound)}


def _updated(at: Path, docs: Path, sound: dict[str, Any]) -> str:
    """An update of a damaged index, all of whose files are read again, must not carry damage along."""
    for path in docs.glob("*.txt"):  # another file with the same text: a line end comes or goes
        content = path.read_text()
        path.write_text(content[:-1] if content.endswith("\n") else content + "\n")
    try:
        bring_up(at, docs)
        index = Index.open(at, embedder=WordEmbedder())
        return "ok" if contents(index)["answers"] == sound["answers"] else "wrong answers"
    except FootnotedError:
        return "ok"
    except Exception as error:
        return f"crashed: {type(error).__name__}: {error}"


def damage_all(folder: Path, runs: int, seed: int, bar: Bar) -> None:
    chance = random.Random(seed)
    docs, sound_at = folder / "docs", folder / "sound"
    build(docs, sound_at)
    files = foundations(sound_at)
    sound = contents(Index.open(sound_at, embedder=WordEmbedder()))
    cases = [(path, kind) for path in files for kind in DAMAGES]
    bad: dict[str, Counter[str]] = {"open": Counter(), "verify": Counter(), "update": Counter()}
    undone = crashes = 0
    first = chance.randrange(len(cases))
    at = folder / "damaged"  # one path for all: it stands in the messages
    for run in range(runs):
        path, kind = cases[(first + run) % len(cases)]
        shutil.rmtree(at, ignore_errors=True)
        shutil.copytree(sound_at, at)
        target = at / path.relative_to(sound_at)
        content = target.read_bytes()
        damaged = DAMAGES[kind](content, chance, files[path])
        if damaged == content:  # a block that was zero
            undone += 1
            continue
        if damaged is None:
            target.unlink()
        else:
            target.write_bytes(damaged)
        found = in_child(lambda target=target: examine(at, docs, target.name, sound))
        if found is None:
            crashes += 1
            bar.figures.setdefault("crashed", f"{kind} {target.relative_to(at)}")
            continue
        for what, said in found.items():
            if said != "ok":
                bad[what][said.split(":")[0]] += 1
                bar.figures.setdefault(f"first: {what}", f"{kind} of {target.name}: {said}")
    bar.note("damaged indexes", runs - undone)
    bar.note("files", len(files))
    bar.check("processes that died", crashes, 0)
    for what, counted in bad.items():
        bar.check(f"not seen or not named: {what}", counted.total(), 0)
        if counted:
            bar.note(f"{what} gave", dict(counted))


def unchecked() -> Any:
    """The mutant whose comparison of checksums is left out."""
    return mock.patch("index.manifest.check_file", return_value=None)


def main() -> None:
    with measured("damage", 2000, __doc__) as (options, folder, bar):
        damage_all(folder / "sound", options.runs, options.seed, bar)
        with unchecked():
            found = Bar.named("unchecked")
            damage_all(folder / "unchecked", min(options.runs, 200), options.seed, found)
        bar.check("found out: no comparison of checksums", int(bool(found.missed)), 1, least=True)


if __name__ == "__main__":
    main()
