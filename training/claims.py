"""Claims beside texts that support them or do not: for the check of a language model's sentences."""

import gzip
import json
from pathlib import Path

from .evaluated import Evaluated

# Each set with its fields of the claim and of the evidence, and the most rows that are taken of it.
SETS = {
    "nli-fever-athnlp": ("claim", "evidence", 14_000),
    "nli-mnli-dev": ("hypothesis", "premise", 10_000),
    "nli-snli-dev": ("hypothesis", "premise", 5_000),
    "nli-scitail-dev": ("hypothesis", "premise", 3_000),
}
_SUPPORTED = {"SUPPORTS", "entailment"}


def load_claims(train: Path, evaluated: Evaluated) -> list[tuple[str, str, bool]]:
    """(claim, evidence, whether it is supported); nothing of what is evaluated."""
    found = []
    for name, (claim, evidence, most) in SETS.items():
        with gzip.open(train / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        for row in rows[:: max(1, len(rows) // most)]:
            text = row[evidence] if isinstance(row[evidence], str) else " ".join(row[evidence])
            if text and not evaluated.asks(row[claim]) and not evaluated.holds(text):
                found.append((row[claim], text, row["label"] in _SUPPORTED))
    return found
