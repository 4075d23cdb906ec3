"""SQuAD's paragraphs as a folder of text files: what the benchmarks of speed index, and the questions they ask."""

from pathlib import Path

from asked import squad_halves, squad_passages

SQUAD = "squad-v2.0-dev"


def write_articles(data: Path, folder: Path, articles: int, paragraphs: int | None = None) -> list[Path]:
    """Write the first articles in order of their names, a file each: a paragraph a line, empty lines between.

    Of each article the first `paragraphs`, all by default.
    """
    found = _first(data, articles, paragraphs)
    return [_write(folder, name, "\n\n".join(texts)) for name, texts in found.items()]


def write_paragraphs(data: Path, folder: Path, articles: int, paragraphs: int | None = None) -> list[Path]:
    """The same, a paragraph a file."""
    found = _first(data, articles, paragraphs)
    return [_write(folder, f"{name}-{at:03}", text) for name, texts in found.items() for at, text in enumerate(texts)]


def _first(data: Path, articles: int, paragraphs: int | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in squad_passages(data / SQUAD).rows:
        found.setdefault(_article(row["_id"]), []).append(" ".join(row["text"].split()))
    return {name: found[name][:paragraphs] for name in sorted(found)[:articles]}


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.txt"
    file.write_text(text + "\n", encoding="utf-8")
    return file


def questions(data: Path, files: list[Path], number: int) -> list[str]:
    """Answerable questions of the articles in `files`, evenly spread over them."""
    names = {file.stem for file in files}
    asked = [one for half in squad_halves(data / SQUAD) for one in half]
    texts = [one.question for one in asked if one.answers and _article(one.passage_id) in names]
    number = min(number, len(texts))
    return [texts[place * len(texts) // number] for place in range(number)]


def _article(passage_id: str) -> str:
    return passage_id.split("#")[0]
