"""Whether a page supports a claim, on WiCE (wice/claim_dev.jsonl of --data): rag/support.py, and the reader.

    python benchmarks/support.py --data ../shared/data

Each claim is compared with the sentences of its page by `likeness`: with each alone, and with the nearest together.
The thresholds of rag/support.py were chosen on every second claim (tuning), the others are reported. Beside them the
parts (cosine of the nearest; share of the words in the five nearest, weighted by rarity among the claims; both) and
the reader (`GraphReader.supports`), on all claims, as nothing was chosen for these. Claims that are supported are told
from those that are not, once without and once with the partly supported ones among the latter.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from answers import parted
from recording import record

from index.embedders import load_embedder
from index.lexical import inverse_document_frequency
from index.terms import terms
from rag.reader import BUNDLED
from rag.support import SUPPORTED, WEAK, likeness

# Sentences of a page that are looked at, as many as an answer would have before it.
SENTENCES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    rows = [json.loads(line) for line in (options.data / "wice" / "claim_dev.jsonl").read_text().splitlines()]
    claims = [row["claim"] for row in rows]
    embedder = load_embedder()
    vectors = embedder.embed_queries(claims)
    counts = Counter(word for claim in claims for word in set(terms(claim)))
    cosines, shares, texts, alone, together = [], [], [], [], []
    for claim, row, vector in zip(claims, rows, vectors, strict=True):
        evidence = [text for text in row["evidence"] if text.strip()]
        near = embedder.embed_passages(evidence) @ vector
        best = sorted(np.argsort(-near, kind="stable")[:SENTENCES])
        text = " ".join(evidence[at] for at in best)
        weights = {word: inverse_document_frequency(len(claims), counts[word]) for word in set(terms(claim))}
        held = set(terms(text))
        cosines.append(float(near.max()))
        shares.append(sum(weight for word, weight in weights.items() if word in held) / (sum(weights.values()) or 1))
        texts.append(text)
        each, nearest = likeness(weights, near, [set(terms(one)) for one in evidence])
        alone.append(max(each))
        together.append(nearest)
    supports = BUNDLED.supports(claims, texts)
    both = [cosine + share for cosine, share in zip(cosines, shares, strict=True)]
    figures: dict[str, object] = {"claims": dict(Counter(row["label"] for row in rows))}
    for name, against in (
        ("against not supported", {"not_supported"}),
        ("against not or partly supported", {"not_supported", "partially_supported"}),
    ):
        yes = [at for at, row in enumerate(rows) if row["label"] == "supported"]
        no = [at for at, row in enumerate(rows) if row["label"] in against]
        figures[name] = {
            said: parted([scores[at] for at in yes], [scores[at] for at in no])
            for said, scores in (("cosine", cosines), ("words", shares), ("both", both), ("reader", supports))
        }
    for half, places in (("tuning half", range(0, len(rows), 2)), ("reported half", range(1, len(rows), 2))):
        figures[half] = _half(places, [row["label"] for row in rows], alone, together)
    record("support", figures)
    print(json.dumps(figures, indent=1))


def _half(
    places: Sequence[int], labels: Sequence[str], alone: Sequence[float], together: Sequence[float]
) -> dict[str, object]:
    """AUROC of both scores, and of each label's claims the share that is graded supported, weak, unsupported."""
    yes = [at for at in places if labels[at] == "supported"]
    found: dict[str, object] = {}
    for name, against in (("not", {"not_supported"}), ("not or partly", {"not_supported", "partially_supported"})):
        no = [at for at in places if labels[at] in against]
        for score, scores in (("one sentence", alone), ("together", together)):
            found[f"{score}, against {name} supported"] = parted([scores[at] for at in yes], [scores[at] for at in no])
    for label in ("supported", "partially_supported", "not_supported"):
        those = [at for at in places if labels[at] == label]
        strong = [alone[at] >= SUPPORTED for at in those]
        held = [max(alone[at], together[at]) >= WEAK for at in those]
        found[label] = {
            "claims": len(those),
            "graded supported": round(fmean(strong), 3),
            "weak": round(fmean(held) - fmean(strong), 3),
            "unsupported": round(1 - fmean(held), 3),
        }
    return found


if __name__ == "__main__":
    main()
