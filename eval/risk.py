"""What a threshold buys: how many questions are answered, and how many of those answers are wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bootstrap import draws

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """If everything below `threshold` is refused: the share answered, and the share of the answers that is wrong."""

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The curve by falling threshold, one point for each confidence there is, and the area under it.

    `aurc` is the mean over the questions of the risk at their own confidence, 0 at best, `ci` its 95 %
    bootstrap interval. El-Yaniv and Wiener, On the foundations of noise-free selective classification
    (JMLR 2010); Geifman and El-Yaniv, Selective classification for deep neural networks (NeurIPS 2017).
    """

    points: tuple[Point, ...]
    aurc: float
    ci: tuple[float, float]

    def at(self, threshold: float) -> Point:
        """The point of `threshold`; coverage and risk 0 if nothing is that sure."""
        answered = [point for point in self.points if point.threshold >= threshold]
        last = answered[-1] if answered else Point(threshold, 0.0, 0.0)
        return Point(threshold, last.coverage, last.risk)


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions of like confidence: their number, mean confidence, and the share for which it came true.

    `ci` is the 95 % Wilson interval of that share.
    """

    count: int
    confidence: float
    share: float
    ci: tuple[float, float]


def risk_coverage(confidences: Sequence[float], wrong: Sequence[bool]) -> RiskCoverage:
    """The curve of answers with these confidences; equal ones are answered together. Needs one at least."""
    order = np.argsort(-np.asarray(confidences, dtype=np.float64), kind="stable")
    sure = np.asarray(confidences, dtype=np.float64)[order]
    losses = np.asarray(wrong, dtype=np.float64)[order]
    ends = np.append(np.flatnonzero(np.diff(sure)), len(sure) - 1)
    lost = np.cumsum(losses)[ends]
    points = tuple(
        Point(float(sure[end]), float((end + 1) / len(sure)), float(sum_lost / (end + 1)))
        for end, sum_lost in zip(ends.tolist(), lost.tolist(), strict=True)
    )
    areas = np.concatenate([_areas(weights, losses, ends) for weights in draws(len(sure))])
    low, high = np.quantile(areas, [0.025, 0.975])
    (area,) = _areas(np.ones((1, len(sure))), losses, ends)
    return RiskCoverage(points, float(area), (float(low), float(high)))


def _areas(weights: Numbers, losses: Numbers, ends: NDArray[np.int64]) -> Numbers:
    """The area of each row of `weights` (rounds, questions): how often every question was drawn."""
    covered = np.cumsum(weights, axis=1)[:, ends]
    lost = np.cumsum(weights * losses, axis=1)[:, ends]
    risk = np.divide(lost, covered, out=np.zeros_like(lost), where=covered > 0)
    area: Numbers = (np.diff(covered, axis=1, prepend=0) * risk).sum(axis=1) / covered[:, -1]
    return area


def reliability(confidences: Sequence[float], came_true: Sequence[bool], bins: int = 10) -> tuple[Bin, ...]:
    """Questions binned by confidence, `bins` of equal width over 0 to 1; empty ones are left out.

    DeGroot and Fienberg, The comparison and evaluation of forecasters (1983); Niculescu-Mizil and Caruana,
    Predicting good probabilities with supervised learning (ICML 2005).
    """
    at = np.minimum((np.asarray(confidences) * bins).astype(int), bins - 1)
    found = []
    for number in range(bins):
        inside = np.flatnonzero(at == number).tolist()
        if inside:
            hits = sum(bool(came_true[i]) for i in inside)
            mean = sum(confidences[i] for i in inside) / len(inside)
            found.append(Bin(len(inside), mean, hits / len(inside), wilson(hits, len(inside))))
    return tuple(found)


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance of confidence and share, weighted by the bins' counts.

    Guo et al., On calibration of modern neural networks (ICML 2017).
    """
    return sum(one.count * abs(one.confidence - one.share) for one in bins) / sum(one.count for one in bins)


def wilson(hits: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share of `count`. Wilson, Probable inference (JASA 1927)."""
    share, width = hits / count, z * z / count
    half = z * (share * (1 - share) / count + width / (4 * count)) ** 0.5
    return max(0.0, (share + width / 2 - half) / (1 + width)), min(1.0, (share + width / 2 + half) / (1 + width))


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99, linear between the two nearest values. Needs one value at least."""
    found = np.quantile(np.asarray(seconds, dtype=np.float64), [0.5, 0.95, 0.99])
    return dict(zip(("p50", "p95", "p99"), found.tolist(), strict=True))
