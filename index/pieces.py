"""Word pieces: what an embedding model reads instead of characters."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def load_tokenizer(folder: Path, *, lowercase: bool = False) -> "Tokenizer":
    """The tokenizer of a model's folder; nothing is cut or padded. `lowercase`: capitals are taken off first."""
    from tokenizers import Tokenizer, normalizers

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()  # the packaged file pads to 128 and cuts there
    tokenizer.no_truncation()
    if lowercase:
        rest = [] if tokenizer.normalizer is None else [tokenizer.normalizer]
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *rest])
    return tokenizer


def valid(text: str) -> str:
    """Text without lone surrogates, which the tokenizer refuses; every character keeps its place."""
    return text.encode("utf-8", "replace").decode("utf-8")
