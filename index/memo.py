"""Answers of a method that are kept."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar
from weakref import WeakMethod

_T = TypeVar("_T")


def memo(method: Callable[..., _T], size: int) -> Callable[..., _T]:
    """A bound method that keeps its last `size` answers, by its arguments. Safe to call from several threads.

    Unlike `lru_cache` of the same it does not keep the object: a generation that was replaced gives its
    memory back at once, vectors and all, not when Python next looks for circles.
    """
    bound: Any = WeakMethod(method)  # whoever calls this holds the object, so it is there
    kept: Callable[..., _T] = lru_cache(maxsize=size)(lambda *arguments: bound()(*arguments))
    return kept
