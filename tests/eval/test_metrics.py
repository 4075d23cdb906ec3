"""Each measure on rankings worked out by hand, and against ir_measures on random ones."""

import math
import random
from pathlib import Path
from statistics import fmean

import ir_measures
import pytest
from ir_measures import Qrel, ScoredDoc

from eval.evaluation import evaluate_run
from eval.metrics import (
    DEFAULT_MEASURES,
    FUNCTIONS,
    NEED_CUTOFF,
    average_precision,
    measure,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    success,
)
from eval.runs import Qrels, Run, rank, read_qrels, read_run, strictly_descending, write_qrels, write_run
from index.errors import UsageError

RANKING = ["x", "b", "a", "y", "c"]
GRADES = {"a": 3, "b": 1, "c": 2, "d": 1, "x": 0}  # four relevant documents; d is not retrieved


def test_ndcg_by_hand() -> None:
    # gains 0 1 3 0 2 at ranks 1..5: 1/log2(3) + 3/2 + 2/log2(6) = 0.63093 + 1.5 + 0.77371 = 2.90464
    # best   3 2 1 1:                 3 + 2/log2(3) + 1/2 + 1/log2(5) = 3 + 1.26186 + .5 + .43068 = 5.19254
    assert ndcg(RANKING, GRADES, 10) == pytest.approx(2.90464 / 5.19254, abs=1e-5)
    # at 2: 0.63093 over 3 + 1.26186
    assert ndcg(RANKING, GRADES, 2) == pytest.approx(0.63093 / 4.26186, abs=1e-5)
    assert ndcg(["a", "c", "b", "d"], GRADES, 4) == 1.0


def test_a_negative_grade_gains_nothing() -> None:
    assert ndcg(["bad", "a"], {"bad": -2, "a": 1}) == pytest.approx(1 / math.log2(3))
    assert precision(["bad", "a"], {"bad": -2, "a": 1}, 2) == 0.5


def test_recall_precision_and_success_by_hand() -> None:
    assert recall(RANKING, GRADES, 2) == 1 / 4
    assert recall(RANKING, GRADES, 100) == 3 / 4
    assert precision(RANKING, GRADES, 2) == 1 / 2
    assert precision(RANKING, GRADES, 10) == 3 / 10  # an empty place holds nothing relevant
    assert success(RANKING, GRADES, 1) == 0.0
    assert success(RANKING, GRADES, 2) == 1.0


def test_reciprocal_rank_by_hand() -> None:
    assert reciprocal_rank(RANKING, GRADES, 10) == 1 / 2
    assert reciprocal_rank(RANKING, GRADES, 1) == 0.0


def test_average_precision_by_hand() -> None:
    # relevant at ranks 2, 3, 5, and one missing: (1/2 + 2/3 + 3/5 + 0) / 4
    assert average_precision(RANKING, GRADES) == pytest.approx((1 / 2 + 2 / 3 + 3 / 5) / 4)
    assert average_precision(RANKING, GRADES, 3) == pytest.approx((1 / 2 + 2 / 3) / 4)


@pytest.mark.parametrize("name", [*DEFAULT_MEASURES, "AP", "P@5", "Success@1"])
def test_no_results_or_nothing_relevant_scores_zero(name: str) -> None:
    assert measure(name)([], GRADES) == 0.0
    assert measure(name)(RANKING, {"x": 0}) == 0.0


def test_measures_by_name() -> None:
    assert measure("nDCG@10")(RANKING, GRADES) == ndcg(RANKING, GRADES, 10)
    assert measure("R@2")(RANKING, GRADES) == 1 / 4
    assert measure("P@2")(RANKING, GRADES) == 1 / 2
    assert measure("Success@2")(RANKING, GRADES) == 1.0
    assert measure("AP")(RANKING, GRADES) == average_precision(RANKING, GRADES)
    assert (measure("RR@10").name, measure("RR@10").cutoff, measure("AP").cutoff) == ("RR@10", 10, None)


@pytest.mark.parametrize("name", ["ndcg@10", "P", "R", "nDCG@0", "nDCG@-1", "nDCG@x", "", "Bpref", "AP@10\n"])
def test_an_unknown_measure_is_named(name: str) -> None:
    with pytest.raises(UsageError) as error:
        measure(name)
    wanted = "use nDCG@k, R@k, RR@k, AP, AP@k, P@k or Success@k with k >= 1"
    assert str(error.value) == f"no measure {name!r}: {wanted}"


def random_judgements(seed: int) -> tuple[Qrels, Run]:
    """Graded judgements (also 0 and -1) and a run with many ties, some also only in 32 bits.

    Some queries have no results, some nothing relevant; ids differ in length, case and script.
    """
    draw = random.Random(seed)
    ids = [f"{draw.choice(['d', 'D', 'é', '文', ''])}{n}" for n in range(40)]
    qrels = {f"q{q}": {id: draw.choice([-1, 0, 0, 1, 1, 2, 3]) for id in draw.sample(ids, 12)} for q in range(12)}
    run: Run = {}
    for query in qrels:
        if draw.random() < 0.8:
            retrieved = draw.sample(ids, draw.randint(1, 40))
            run[query] = {id: draw.choice([0.0, 0.25, 1 / 3, 1 / 3 + 1e-12, draw.random()]) for id in retrieved}
    return qrels, run


def theirs(names: list[str], qrels: Qrels, run: Run) -> dict[str, float]:
    judged = [Qrel(query, id, grade) for query, row in qrels.items() for id, grade in row.items()]
    scored = [ScoredDoc(query, id, score) for query, row in run.items() for id, score in row.items()]
    means = ir_measures.calc_aggregate([ir_measures.parse_measure(name) for name in names], judged, scored)
    return {str(one): value for one, value in means.items()}


def ours(names: list[str], qrels: Qrels, run: Run) -> dict[str, float]:
    rankings = {query: rank(run.get(query, {})) for query in qrels}
    return {name: fmean(measure(name)(rankings[query], judged) for query, judged in qrels.items()) for name in names}


CUTOFFS = (1, 2, 3, 5, 7, 10, 20, 100, 1000)
EVERY = [f"{name}@{k}" for name in FUNCTIONS for k in CUTOFFS] + [name for name in FUNCTIONS if name not in NEED_CUTOFF]


def by_query(names: list[str], qrels: Qrels, run: Run) -> dict[tuple[str, str], float]:
    """ir_measures' value of each query and measure."""
    judged = [Qrel(query, id, grade) for query, row in qrels.items() for id, grade in row.items()]
    scored = [ScoredDoc(query, id, score) for query, row in run.items() for id, score in row.items()]
    found = ir_measures.iter_calc([ir_measures.parse_measure(name) for name in names], judged, scored)
    return {(one.query_id, str(one.measure)): one.value for one in found}


@pytest.mark.parametrize("seed", range(40))
def test_every_measure_is_that_of_trec_eval_for_every_query_also_with_ties(seed: int) -> None:
    qrels, run = random_judgements(seed)
    # ir_measures hands RR@k to a program that orders ties the other way round: trec_eval's RR of the first k instead
    names = [name for name in EVERY if not name.startswith("RR@")]
    wanted = by_query(names, qrels, run)
    for k in CUTOFFS:
        first = {query: {id: scores[id] for id in rank(scores)[:k]} for query, scores in run.items()}
        wanted |= {(query, f"RR@{k}"): value for (query, _), value in by_query(["RR"], qrels, first).items()}
    assert {name for _, name in wanted} == set(EVERY)
    found = {(query, name): measure(name)(rank(run.get(query, {})), qrels[query]) for query in qrels for name in EVERY}
    assert {one: found[one] for one in wanted} == pytest.approx(wanted, abs=1e-6)
    assert {found[one] for one in found.keys() - wanted.keys()} <= {0.0}  # queries without results


@pytest.mark.parametrize("seed", range(40, 50))
def test_the_means_of_a_run_file_are_those_of_ir_measures(seed: int, tmp_path: Path) -> None:
    qrels, run = random_judgements(seed)
    write_run(tmp_path / "run.trec", run)
    write_qrels(tmp_path / "qrels.trec", qrels)
    names = [name for name in EVERY if not name.startswith("RR@")]
    report = evaluate_run(read_run(tmp_path / "run.trec"), read_qrels(tmp_path / "qrels.trec"), measures=names)
    again = ir_measures.calc_aggregate(
        [ir_measures.parse_measure(name) for name in names],
        ir_measures.read_trec_qrels(str(tmp_path / "qrels.trec")),
        ir_measures.read_trec_run(str(tmp_path / "run.trec")),
    )
    assert {str(one): value for one, value in again.items()} == pytest.approx(report.metrics, abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_runs_that_strictly_descend_are_read_alike_by_all(seed: int) -> None:
    qrels, run = random_judgements(seed)
    for query, scores in run.items():
        order = sorted(scores, key=lambda id: -scores[id])  # ties as they come, as from a system
        run[query] = dict(zip(order, strictly_descending([scores[id] for id in order]), strict=True))
        assert rank(run[query]) == order
    assert ours(EVERY, qrels, run) == pytest.approx(theirs(EVERY, qrels, run), abs=1e-6)
