"""Any sentence-transformers model: as a graph where that gives what the library gives, else through the library.

Both embed the same texts once, before the graph is first trusted; what was found is kept in the cache folder.
"""

import importlib.metadata
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from .architecture import NotCovered
from .caching import cache_folder
from .embedding import Embedder, Vectors, embed_with_sentences
from .graph_embedder import GraphEmbedder
from .library_embedder import LibraryEmbedder
from .model_folder import read_folder, stamp
from .sentences import Span

# The least cosine between both at which they are the same; another order of additions costs 1e-7.
SAME = 0.9999

_FOX = "The quick brown fox jumps over the lazy dog. "
TEXTS = (
    "",
    " ",
    "x",
    "?!",
    "Who?",
    "When does the lease end?",
    "  two spaces before,  two within,  two after  ",
    "first line\nsecond line\r\n\n\tafter a tab",
    _FOX,
    _FOX.upper(),
    _FOX * 5,
    _FOX * 20,
    _FOX * 400,
    " ".join(f"word{number} of a text beyond any window" for number in range(400)),
    "3.14159 is not 3,141.59; on 2019-12-31 at 23:59 the rate was -0.5 %, about £1/2.",
    "naïve café, Ångström, İstanbul, Straße, coöperation, e\u0301 and é",
    "soft\u00adhyphen, zero\u200bwidth, no\u00a0break, ﬁre, ½, ① and Ａ",
    "control \x00 and \x07, private \ue000, unassigned \U0003fffd, replaced \ufffd",
    "😀 👩‍👩‍👧 🇫🇷 ✓ → ∑",
    "def f(x): return {'a': x[0] != 1, \"b\": not_a_word}  # https://example.org/?q=1&r=%20",
    "antidisestablishmentarianism Donaudampfschifffahrtsgesellschaftskapitän " + "x" * 300,
    "[CLS] [SEP] [MASK] [PAD] [UNK] <s> </s> <pad> <mask> <unk> <|endoftext|>",
    "before <pad> between [PAD] after",
    "query: passage: represent this sentence",
    "Der Vertrag endet am 31. Dezember 2019, sofern keine Partei kündigt.",
    "¿Dónde está la biblioteca? Le cœur a ses raisons. Łódź leży w Polsce.",
    "Договор заканчивается 31 декабря 2019 года.",
    "Η σύμβαση λήγει στις 31 Δεκεμβρίου 2019. ΣΊΣΥΦΟΣ",
    "日本語の文です。これは二つ目の文です。カタカナも、ﾊﾝｶｸも。",
    "合同于二〇一九年十二月三十一日到期。" * 60,
    "계약은 2019년 12월 31일에 끝납니다.",
    "ينتهي العقد في ٣١ ديسمبر ٢٠١٩.",
    "החוזה מסתיים ב־31 בדצמבר 2019.",
    "अनुबंध ३१ दिसंबर २०१९ को समाप्त होता है।",
    "สัญญาสิ้นสุดวันที่ 31 ธันวาคม 2562",
)
# What the verdict depends on besides the model.
_PACKAGES = ("onnxruntime", "sentence-transformers", "transformers", "tokenizers")
_SOURCES = ("architecture.py", "graph.py", "graph_embedder.py", "model_folder.py", "pieces.py", "verified.py")
_GPUS = (Path("/dev/nvidia0"), Path("/proc/driver/nvidia"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether graph and library agree on a model, by their `lowest` cosine over `TEXTS`; `why` not, if they do not."""

    same: bool
    lowest: float | None
    why: str = ""


class VerifiedEmbedder:
    """The model called `name`, a folder or a hub name. Which way it is computed is settled when it is first used."""

    languages: frozenset[str] | None = None  # a model's folder does not say so in a way that can be relied on

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _chosen(self) -> Embedder:
        if isinstance(self._folder, str):
            return LibraryEmbedder(self.name)
        verdict = _remembered(self._folder) or _judge(self._folder)
        folder = self._folder
        return GraphEmbedder(self.name, lambda: folder) if verdict.same else LibraryEmbedder(self.name)

    @cached_property
    def _folder(self) -> Path | str:
        """The model's folder, or why it has to be the library."""
        if _gpu():
            return "there is a GPU"
        folder = _local_folder(self.name)
        if folder is None:
            return "its files are not here yet"
        try:
            read_folder(folder)
        except NotCovered as reason:
            return str(reason)
        return folder

    @property
    def library_because(self) -> str:
        """Why it runs through sentence-transformers; empty if it does not, or if that has not been settled yet."""
        if isinstance(self._folder, str):
            return self._folder
        verdict = _remembered(self._folder)
        return "" if verdict is None else verdict.why

    @property
    def dimension(self) -> int:
        return self._chosen.dimension

    @property
    def window(self) -> int:
        return self._chosen.window

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        return self._chosen.count_pieces(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._chosen.embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._chosen.embed_queries(texts)

    def embed_with_sentences(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Vectors, Vectors]:
        return embed_with_sentences(self._chosen, texts, spans)


def compare(graph: Embedder, library: Embedder) -> Verdict:
    """Both on `TEXTS`, as questions and as passages."""
    if graph.dimension != library.dimension:
        return Verdict(False, None, f"its graph gives {graph.dimension} dimensions, not {library.dimension}")
    if graph.count_pieces(TEXTS) != library.count_pieces(TEXTS) or graph.window - library.window not in (0, 1):
        return Verdict(False, None, "its graph cuts texts into other word pieces")
    questions = (graph.embed_queries(TEXTS) * library.embed_queries(TEXTS)).sum(axis=1)
    passages = (graph.embed_passages(TEXTS) * library.embed_passages(TEXTS)).sum(axis=1)
    lowest = float(min(questions.min(), passages.min()))
    if lowest >= SAME:
        return Verdict(True, lowest)
    return Verdict(False, lowest, f"its graph gives other vectors (cosine {lowest:.4f})")


def _judge(folder: Path) -> Verdict:
    """Compare, and keep what was found."""
    library = LibraryEmbedder(str(folder), device="cpu")
    try:
        verdict = compare(GraphEmbedder(str(folder), lambda: folder), library)
    except Exception as error:  # the runtime and the tokenizer raise what their parts raise
        library.window  # noqa: B018 - a model that the library cannot load either: raises ModelError
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        verdict = Verdict(False, None, f"its graph cannot be made: {reason}")
    try:
        file = _verdict_file(folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"model": str(folder), **asdict(verdict)}) + "\n", encoding="utf-8")
    except OSError:
        pass  # a cache that cannot be written only means comparing again next time
    return verdict


def _remembered(folder: Path) -> Verdict | None:
    try:
        found: dict[str, Any] = json.loads(_verdict_file(folder).read_text(encoding="utf-8"))
        return Verdict(bool(found["same"]), found["lowest"], str(found["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _verdict_file(folder: Path) -> Path:
    """Where the verdict on a model is kept: another model, another version of what computes it, another file."""
    here = Path(__file__).parent
    parts = [stamp(folder), *(f"{package} {importlib.metadata.version(package)}" for package in _PACKAGES)]
    parts += [sha256((here / source).read_bytes()).hexdigest() for source in _SOURCES]
    name = sha256("\n".join(parts).encode()).hexdigest()[:32]
    return cache_folder() / "verified" / f"{name}.json"


def _local_folder(name: str) -> Path | None:
    """The folder of a model: the one that is named, or what the hub's cache has under that name."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    cache = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    try:
        return Path(snapshot_download(name, cache_dir=cache, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None


def _gpu() -> bool:
    """Whether torch will likely find one, told without importing it."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if hidden or not any(sign.exists() for sign in _GPUS):
        return False
    return not importlib.metadata.version("torch").endswith("+cpu")
