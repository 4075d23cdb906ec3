"""Notes: values of any length under a name, as rows of a collection that holds short texts."""

import base64
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from ..errors import DamagedIndex
from .server import Row, Server

# Characters of a piece; base64 has as many bytes.
_PIECE = 60_000
# Rows that are asked for at once: about 10 MB.
_AT_ONCE = 160
_SPARE = [1.0, 0.0]
# The number of a note that is of no file, and goes with none.
NO_FILE = -1


def note(kind: str, name: str, value: bytes, file: int = NO_FILE) -> list[Row]:
    """The rows of a note, its first one last: whoever finds that finds the others."""
    text = base64.b64encode(zlib.compress(value, 6)).decode("ascii")
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    pieces[0] = f"{len(pieces)}:{pieces[0]}"
    rows = [
        {
            "key": key(name, number),
            "kind": kind if number == 0 else f"{kind}+",
            "file": file,
            "content": piece,
            "spare": _SPARE,
        }
        for number, piece in enumerate(pieces)
    ]
    return rows[::-1]


def key(name: str, piece: int = 0) -> str:
    return f"{name}#{piece}"


def json_note(kind: str, name: str, value: Any, file: int = NO_FILE) -> list[Row]:
    return note(kind, name, json.dumps(value, separators=(",", ":")).encode(), file)


def read_notes(server: Server, collection: str, names: Iterable[str], *, strong: bool = True) -> dict[str, bytes]:
    """The values of those of the notes that are there, whole."""
    wanted = list(names)
    first = _contents(server, collection, [key(name) for name in wanted], strong)
    counts = {name: int(first[key(name)].partition(":")[0]) for name in wanted if key(name) in first}
    rest = _contents(
        server, collection, [key(name, piece) for name in counts for piece in range(1, counts[name])], strong
    )
    found = {}
    for name, count in counts.items():
        pieces = [first[key(name)].partition(":")[2], *(rest.get(key(name, piece)) for piece in range(1, count))]
        if None not in pieces:
            try:
                found[name] = zlib.decompress(base64.b64decode("".join(map(str, pieces)), validate=True))
            except (ValueError, zlib.error):
                raise DamagedIndex(f"{collection} at {server.address.server}: {name} is damaged") from None
    return found


def delete_notes(server: Server, collection: str, kind: str, names: Collection[str]) -> None:
    """Every row of them, the first ones first: nobody finds what is half gone."""
    if not names:
        return
    for one in (kind, f"{kind}+"):
        rows = server.query(collection, f'kind == "{one}"', ["key"])
        keys = [row["key"] for row in rows if row["key"].rpartition("#")[0] in names]
        for at in range(0, len(keys), 1000):
            server.delete(collection, f"key in {json.dumps(keys[at : at + 1000])}")


def _contents(server: Server, collection: str, keys: Sequence[str], strong: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for at in range(0, len(keys), _AT_ONCE):
        named = json.dumps(keys[at : at + _AT_ONCE])
        rows = server.query(collection, f"key in {named}", ["key", "content"], strong=strong)
        found |= {row["key"]: row["content"] for row in rows}
    return found


def note_names(server: Server, collection: str, kind: str, files: tuple[int, int] | None = None) -> Iterator[str]:
    """The names of the notes of a kind, those of the files [begin, end) if they are given."""
    if files is None:
        rows = server.query(collection, f'kind == "{kind}"', ["key"])
        yield from (row["key"].rpartition("#")[0] for row in rows)
        return
    begin, end = files
    step = 4096
    for at in range(begin, end, step):
        last = min(at + step, end)
        rows = server.query(collection, f'kind == "{kind}" and file >= {at} and file < {last}', ["key"])
        yield from (row["key"].rpartition("#")[0] for row in rows)
