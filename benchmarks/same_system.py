"""Whether `footnoted compare` keeps its promise: silent on one system twice, awake to a loss.

    python benchmarks/same_system.py --data ../shared/data

Runs are those of `footnoted eval --mode lexical` on cranfield/ and scifact/ (or --collections) below `--data`. Nothing
is tuned here.

A comparison pairs its queries, so two systems that are one must differ by chance alone, the same way in both
directions. Two such chances, each drawn 1,000 times over Cranfield's real scores by query:

`queries`: A and B are two independent bootstrap draws of the 225 queries, as many with replacement, and the first
drawn of A is compared with the first of B, the second with the second, and so on. The pairs are of different
questions, so their differences are large, and symmetric about 0: each pair is as likely the other way round.

`noise`: one bootstrap draw of the queries, and for each query two rankings of the same results: normal noise of a
tenth of the spread of their scores is added twice. This is how two runs of one system are compared in practice: on the
same questions, most of which do not change. A and B are alike, so the differences are symmetric about 0 here too.

Counted is how often `compare` finds p below .05 for a measure, and below .05 for any of them after correction (what it
marks with a star). Both are to be at most 6.5 %: with a true 5 %, 1,000 draws give more with a probability of .015.
Beside them stands how often the 95 % interval of a difference leaves 0 out, which is no test: a percentile interval of
few differences, most of them 0, is a little narrow.

`planted`: the first two results of every tenth query are swapped, beginning with the first, the second, ... the tenth
query, and `footnoted compare` is run on the evaluations of both runs. Found is a loss with a star. On a collection
whose first results are mostly right the swap is a loss. On Cranfield it is not: there the second result is relevant
where the first is not about as often as the other way round. So the swap is also planted as the loss that it is meant
to be: in a tenth of the queries, spread over those whose first result is judged better than their second.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from recording import record

from eval.bootstrap import ALPHA
from eval.comparison import compare
from eval.evaluation import evaluate_run
from eval.files import write_rows
from eval.metrics import DEFAULT_MEASURES, measure
from eval.runs import Qrels, Run, rank, read_qrels, read_run, strictly_descending
from eval.writing import write

FOOTNOTED = Path(sys.executable).with_name("footnoted")
COLLECTIONS = ("cranfield", "scifact")
DRAWN = "cranfield"
NOISE = 0.1
SEED = 7

Scores = dict[str, float]
Draw = Callable[[np.random.Generator], tuple[Sequence[Scores], Sequence[Scores]]]


def footnoted(*arguments: str | Path) -> dict[str, Any]:
    done = subprocess.run([FOOTNOTED, *arguments, "--json"], check=True, capture_output=True, text=True)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def scores(ranking: Sequence[str], judged: dict[str, int]) -> Scores:
    return {name: measure(name)(ranking, judged) for name in DEFAULT_MEASURES}


def drawn_queries(run: Run, qrels: Qrels) -> Draw:
    by_query = [scores(rank(run.get(query, {})), judged) for query, judged in qrels.items()]

    def draw(random: np.random.Generator) -> tuple[list[Scores], list[Scores]]:
        one, other = random.integers(len(by_query), size=(2, len(by_query)))
        return [by_query[at] for at in one], [by_query[at] for at in other]

    return draw


def drawn_noise(run: Run, qrels: Qrels) -> Draw:
    queries = [query for query in qrels if query in run]
    results = {query: rank(run[query]) for query in queries}
    values = {query: np.array([run[query][id] for id in results[query]]) for query in queries}

    def noisy(query: str, random: np.random.Generator) -> Scores:
        shaken = values[query] + random.normal(0, NOISE * values[query].std(), len(values[query]))
        return scores([results[query][at] for at in np.argsort(-shaken)], qrels[query])

    def draw(random: np.random.Generator) -> tuple[list[Scores], list[Scores]]:
        picked = [queries[at] for at in random.integers(len(queries), size=len(queries))]
        return [noisy(query, random) for query in picked], [noisy(query, random) for query in picked]

    return draw


def alarms(draw: Draw, draws: int, folder: Path) -> dict[str, object]:
    """How often two evaluations of one system are told apart, as shares of `draws`."""
    random = np.random.default_rng(SEED)
    fired = dict.fromkeys(DEFAULT_MEASURES, 0)
    left_out = dict.fromkeys(DEFAULT_MEASURES, 0)
    starred = 0
    for _ in range(draws):
        for name, rows in zip("ab", draw(random), strict=True):
            write_rows(
                folder / name / "per_query.jsonl",
                ({"query": str(at), "text": "", "metrics": row, "relevant": {}} for at, row in enumerate(rows)),
            )
        found = compare(folder / "a", folder / "b")
        for one in found.differences:
            fired[one.measure] += one.p < ALPHA
            left_out[one.measure] += not one.ci[0] <= 0 <= one.ci[1]
        starred += any(one.p_holm < ALPHA for one in found.differences)
    return {
        "draws": draws,
        "p below .05": {name: round(count / draws, 4) for name, count in fired.items()},
        "any p below .05 after Holm": round(starred / draws, 4),
        "interval without 0": {name: round(count / draws, 4) for name, count in left_out.items()},
    }


def swapped(run: Run, queries: Sequence[str]) -> Run:
    """The run with the first two results of `queries` the other way round."""
    changed = dict(run)
    for query in queries:
        ranking = rank(run[query])
        ranking[:2] = reversed(ranking[:2])
        falling = strictly_descending(sorted(run[query].values(), reverse=True))
        changed[query] = dict(zip(ranking, falling, strict=True))
    return changed


def planted(run: Run, qrels: Qrels, chosen: Sequence[Sequence[str]], folder: Path) -> dict[str, object]:
    """What `footnoted compare` says of the run with the queries swapped that are chosen, one choice after the other."""
    plain = write(evaluate_run(run, qrels), folder / "plain")
    rows = []
    for queries in chosen:
        changed = write(evaluate_run(swapped(run, queries), qrels), folder / "planted")
        differences: list[dict[str, Any]] = footnoted("compare", plain, changed)["differences"]
        first = next(one for one in differences if one["measure"] == "nDCG@10")
        shown = {name: round(first[name], 4) for name in ("difference", "p", "p_holm", "wins", "losses")}
        found = any(one["p_holm"] < ALPHA and one["difference"] < 0 for one in differences)
        rows.append({"swapped": len(queries), **shown, "found": found})
    return {"found": sum(bool(row["found"]) for row in rows), "of": len(rows), "nDCG@10": rows}


def tenths(queries: Sequence[str], count: int) -> list[list[str]]:
    """`count` of the queries (all, if they are fewer), spread evenly over them, from ten beginnings."""
    n = len(queries)
    return [
        [queries[at] for at in sorted({(place * n // count + start) % n for place in range(count)})]
        for start in range(10)
    ]


def better_first(run: Run, qrels: Qrels) -> list[str]:
    """The queries whose first result is judged better than their second."""
    firsts = {query: [qrels[query].get(id, 0) for id in rank(run[query])[:2]] for query in run}
    return [query for query, grades in firsts.items() if len(grades) == 2 and grades[0] > max(grades[1], 0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--collections", nargs="+", default=COLLECTIONS, metavar="NAME", help="for the planted loss")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        for name in options.collections:
            footnoted("eval", options.data / name, "--mode", "lexical", "--out", at / name)
            run, qrels = read_run(at / name / "run.trec"), read_qrels(at / name / "qrels.trec")
            figures[name] = {
                "planted": planted(run, qrels, [list(run)[start::10] for start in range(10)], at),
                "planted where it is a loss": planted(run, qrels, tenths(better_first(run, qrels), len(run) // 10), at),
            }
            print(name, json.dumps(figures[name], indent=1), flush=True)
        footnoted("eval", options.data / DRAWN, "--mode", "lexical", "--out", at / DRAWN)
        run, qrels = read_run(at / DRAWN / "run.trec"), read_qrels(at / DRAWN / "qrels.trec")
        for name, draw in (("queries", drawn_queries(run, qrels)), ("noise", drawn_noise(run, qrels))):
            figures[name] = alarms(draw, options.draws, at)
            print(name, json.dumps(figures[name], indent=1), flush=True)
    record("same_system", figures)


if __name__ == "__main__":
    main()
