"""How far chance reaches: intervals for means over queries, and tests of paired differences.

Every draw comes from a fixed seed, so the same scores always give the same numbers.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 10_000
RANK_ROUNDS = 2_000  # for what has to be summed over ranks in every round
LEVEL = 0.95
ALPHA = 0.05  # a corrected p below it is significant
SEED = 20_240_501
CELLS = 4_000_000  # numbers held at once while drawing: 32 MB


def interval(values: Sequence[float], rounds: int = ROUNDS, level: float = LEVEL) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of `values`, one value a query.

    Draws as many queries with replacement, `rounds` times, and takes the middle `level` of the means.
    Given the paired differences of two systems it is the paired bootstrap interval of their difference.
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; for retrieval: Sakai,
    Evaluating evaluation metrics based on the bootstrap (SIGIR 2006).
    """
    sample = np.asarray(values, dtype=np.float64)
    if not sample.size:
        raise ValueError("interval() of no values")
    if (sample == sample[0]).all():
        return float(sample[0]), float(sample[0])
    random = np.random.default_rng(SEED)
    means = np.concatenate(
        [
            sample[random.integers(sample.size, size=(n, sample.size))].mean(axis=1)
            for n in _batches(rounds, sample.size)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def randomisation(differences: Sequence[float], rounds: int = ROUNDS) -> float:
    """Two-sided p of the paired randomisation test (Fisher's) that the mean difference is 0.

    If the two systems were one, each difference could as well have the other sign: p is the share of sign
    assignments whose mean is at least as far from 0. All assignments are counted when there are no more
    than `rounds`; otherwise that many are drawn and p = (1 + hits) / (1 + rounds). Smucker, Allan and
    Carterette, A comparison of statistical significance tests for IR evaluation (CIKM 2007).
    """
    sample = np.asarray(differences, dtype=np.float64)
    sample = sample[sample != 0]  # a sign changes nothing about a difference of 0
    if not sample.size:
        return 1.0
    reached = abs(sample.sum()) - 1e-9  # equal sums can differ in their last digits
    if 2 ** int(sample.size) <= rounds:
        bits = np.arange(2**sample.size)[:, None] >> np.arange(sample.size) & 1
        return float((np.abs((1 - 2 * bits) @ sample) >= reached).mean())
    random = np.random.default_rng(SEED)
    hits = 0
    for n in _batches(rounds, sample.size):
        signs = 1 - 2 * random.integers(2, size=(n, sample.size), dtype=np.int8)
        hits += int((np.abs(signs @ sample) >= reached).sum())
    return (1 + hits) / (1 + rounds)


def least_p(differences: Sequence[float]) -> float:
    """The smallest p that `randomisation` could give for differences of these sizes: all with one sign."""
    return min(1.0, 2.0 ** (1 - sum(abs(difference) > 1e-9 for difference in differences)))


def holm(ps: Sequence[float], least: Sequence[float]) -> list[float]:
    """p values corrected for being several, in the order given; at least as large as before.

    The i-th smallest of m is multiplied by m - i + 1, and none falls below a smaller one's. Holm, A simple
    sequentially rejective multiple test procedure (1979). A test whose `least` p is not below ALPHA could not
    be wrongly significant, and is neither counted nor corrected: a measure that is the same for nearly every
    query hides no other. Tarone, A modified Bonferroni method for discrete data (Biometrics 1990).
    """
    counted = [at for at in range(len(ps)) if least[at] < ALPHA]
    corrected, floor = list(ps), 0.0
    for position, at in enumerate(sorted(counted, key=lambda i: ps[i])):
        floor = max(floor, min(1.0, (len(counted) - position) * ps[at]))
        corrected[at] = floor
    return corrected


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Probability that a random positive scores above a random negative, a tie counting one half.

    The area under the ROC curve (Mann-Whitney U over the number of pairs); None without both kinds.
    """
    if not positives or not negatives:
        return None
    ordered = np.sort(np.asarray(negatives, dtype=np.float64))
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    return float((below + not_above).mean() / 2 / len(negatives))


def auroc_interval(positives: Sequence[float], negatives: Sequence[float]) -> tuple[float, float] | None:
    """Percentile bootstrap interval of `auroc`: as many of each kind are drawn as there are."""
    if not positives or not negatives:
        return None
    ordered = np.sort(np.asarray(negatives, dtype=np.float64))
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    areas = []
    both = zip(draws(len(positives), width=len(positives) + len(negatives)),
               draws(len(negatives), SEED + 1, width=len(positives) + len(negatives)), strict=True)  # fmt: skip
    for ours, theirs in both:
        passed = np.concatenate([np.zeros((len(theirs), 1)), np.cumsum(theirs, axis=1)], axis=1)
        areas.append((ours * (passed[:, below] + passed[:, not_above])).sum(axis=1) / 2)
    low, high = np.quantile(np.concatenate(areas) / len(positives) / len(negatives), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def draws(size: int, seed: int = SEED, width: int | None = None) -> Iterator[NDArray[np.float64]]:
    """RANK_ROUNDS bootstrap samples of `size` things, some rows at a time: how often each was drawn.

    `width` is how many numbers a round holds at once, if more than `size`.
    """
    random = np.random.default_rng(seed)
    for rounds in _batches(RANK_ROUNDS, width or size):
        yield random.multinomial(size, np.full(size, 1 / size), size=rounds).astype(np.float64)


def _batches(rounds: int, width: int) -> list[int]:
    """`rounds` cut into parts whose rows of `width` numbers fit in CELLS."""
    size = max(1, CELLS // width)
    return [min(size, rounds - start) for start in range(0, rounds, size)]
