"""Which model made the vectors: not its name, but what it answers."""

import base64

import numpy as np

from .embedding import Embedder
from .errors import DamagedIndex, OtherIndex
from .manifest import Manifest

_SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Der Vertrag endet am 31. Dezember 2019.",
    "How many passages does the model see whole?",
)
# Another runtime or processor moves the cosine in the sixth digit; another model, or 8-bit weights, in the
# second or third.
_SAME = 0.9995


def probe(embedder: Embedder) -> str:
    """The vectors of three fixed sentences, (3, dim) float16 in base64."""
    return base64.b64encode(embedder.embed_passages(_SENTENCES).astype("<f2").tobytes()).decode("ascii")


def check_probe(embedder: Embedder, manifest: Manifest) -> None:
    """Raises OtherIndex, naming both, unless the embedder's vectors are those the manifest stands on."""
    if embedder.dimension != manifest.dimension:
        raise OtherIndex(
            f"the index was made with {manifest.model} ({manifest.dimension} dimensions), the embedder is "
            f"{embedder.name} ({embedder.dimension}): give that model, or index --rebuild"
        )
    stored = base64.b64decode(manifest.probe)
    now = embedder.embed_passages(_SENTENCES)
    if len(stored) != 2 * now.size:
        raise DamagedIndex("the manifest holds no fingerprint of its model: footnoted index --rebuild PATH")
    made = np.frombuffer(stored, "<f2").astype(np.float32)
    cosines = (made.reshape(now.shape) * now).sum(axis=1)
    if cosines.min() < _SAME:
        raise OtherIndex(
            f"the index was made with {manifest.model}, but {embedder.name} gives other vectors "
            f"(cosine {cosines.min():.3f}): give the same model, or index --rebuild"
        )
