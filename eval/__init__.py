"""Evaluation: collections through the same door as a user's questions, scored and compared.

`evaluate("scifact", system)` searches a BEIR collection and returns a `Report`, which
`write(report, folder)` puts on disk with a page that shows it. This package is never imported by its
bare name, which would hide the built-in function: `from eval import evaluate`.
"""

from .evaluation import evaluate, evaluate_spans
from .reports import Report
from .writing import write

__all__ = ["Report", "evaluate", "evaluate_spans", "write"]
