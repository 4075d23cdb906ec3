"""Which embedder a name stands for.

A model is computed as a graph without torch (graph_embedder.py) where that gives what sentence-transformers gives
(verified.py), else through that library (library_embedder.py). Each is imported when it is asked for.
"""

import os

from .embedding import Embedder
from .minilm import MINILM, minilm_folder


def load_embedder(name: str | None = None) -> Embedder:
    """The embedder called `name`: None for the default, a folder, or a hub name for sentence-transformers.

    The default is the packaged all-MiniLM-L6-v2, or the folder that `FOOTNOTED_MODEL` names. Nothing is read
    before the embedder is first used; it raises ModelError then, if it cannot be loaded.
    """
    name = name or os.environ.get("FOOTNOTED_MODEL") or MINILM
    if name == MINILM:
        from .graph_embedder import GraphEmbedder

        return GraphEmbedder(name, minilm_folder, languages=frozenset({"en"}))
    from .verified import VerifiedEmbedder

    return VerifiedEmbedder(name)
