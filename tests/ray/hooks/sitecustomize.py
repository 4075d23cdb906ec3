"""On PYTHONPATH this makes a real run small, slow or deadly, in every process of it, as FOOTNOTED_TEST_* says.

BATCH and PART_FILES take other values; a text with POISON ends the process that embeds it; one with SLOW waits as long
as the file GATE is there; each part that is done appends the number of its process to the file DONE.
"""

import importlib.abc
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _asked(name: str) -> str:
    return os.environ.get(f"FOOTNOTED_TEST_{name}", "")


def _indexing(module: Any) -> None:
    module.BATCH = int(_asked("BATCH") or module.BATCH)


def _bulk(module: Any) -> None:
    module.PART_FILES = int(_asked("PART_FILES") or module.PART_FILES)


def _graph_embedder(module: Any) -> None:
    embed = module.GraphEmbedder._embed

    def guarded(self: Any, texts: Any, *given: Any) -> Any:
        if any("POISON" in text for text in texts):
            os._exit(7)
        gate = _asked("GATE")
        while gate and any("SLOW" in text for text in texts) and Path(gate).exists():
            time.sleep(0.2)
        return embed(self, texts, *given)

    module.GraphEmbedder._embed = guarded


def _bulk_worker(module: Any) -> None:
    pack = module.pack_answer

    def packed(answer: Any) -> bytes:
        if _asked("DONE"):
            with Path(_asked("DONE")).open("a") as file:
                file.write(f"{os.getpid()}\n")
        return bytes(pack(answer))

    module.pack_answer = packed


_HOOKS: dict[str, Callable[[Any], None]] = {
    "index.indexing": _indexing,
    "index.bulk.cluster": _bulk,
    "index.graph_embedder": _graph_embedder,
    "index.bulk.worker": _bulk_worker,
}


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in _HOOKS:
            return None
        hook = _HOOKS.pop(name)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        run = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            hook(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())
