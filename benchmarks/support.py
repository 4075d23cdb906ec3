"""Whether a page supports a claim: AUROC with and without the reader, on WiCE (wice/claim_dev.jsonl of --data).

    python benchmarks/support.py --data ../shared/data

For each claim the sentences of its page that are nearest to it by embedding are taken, in their order. Without
the reader a claim is believed by the cosine of the nearest and by the share of its words that they have
(by rarity among the claims); with it, by `GraphReader.supports`. Claims that are supported are told from those
that are not, once without and once with the partly supported ones among the latter. Nothing was tuned on these.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
from answers import parted
from recording import record

from index.embedding import load_embedder
from index.lexical import inverse_document_frequency
from index.terms import terms
from rag.reader import BUNDLED

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
    cosines, shares, texts = [], [], []
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
    supports = BUNDLED.supports(claims, texts)
    alone = [cosine + share for cosine, share in zip(cosines, shares, strict=True)]
    figures: dict[str, object] = {"claims": dict(Counter(row["label"] for row in rows))}
    for name, against in (
        ("against not supported", {"not_supported"}),
        ("against not or partly supported", {"not_supported", "partially_supported"}),
    ):
        yes = [at for at, row in enumerate(rows) if row["label"] == "supported"]
        no = [at for at, row in enumerate(rows) if row["label"] in against]
        figures[name] = {
            said: parted([scores[at] for at in yes], [scores[at] for at in no])
            for said, scores in (("cosine", cosines), ("words", shares), ("both", alone), ("reader", supports))
        }
    record("support", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
