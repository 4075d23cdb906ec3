"""Risk, coverage and calibration of a handful of answers, worked out by hand."""

import random

import pytest

from eval.risk import Point, calibration_error, percentiles, reliability, risk_coverage, wilson

SURE = [0.2, 0.9, 0.6, 0.6]
WRONG = [True, False, True, False]


def test_the_curve_answers_equal_confidences_together() -> None:
    curve = risk_coverage(SURE, WRONG)
    assert curve.points == (Point(0.9, 0.25, 0.0), Point(0.6, 0.75, 1 / 3), Point(0.2, 1.0, 0.5))
    # the risk at each question's own confidence: 0, 1/3, 1/3, 1/2
    assert curve.aurc == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)


def test_the_point_of_a_threshold() -> None:
    curve = risk_coverage(SURE, WRONG)
    assert curve.at(0.0) == Point(0.0, 1.0, 0.5)
    assert curve.at(0.2) == Point(0.2, 1.0, 0.5)  # what is as sure as the threshold is answered
    assert curve.at(0.35) == Point(0.35, 0.75, 1 / 3)
    assert curve.at(0.95) == Point(0.95, 0.0, 0.0)


def test_the_ends_of_the_area() -> None:
    assert risk_coverage([0.5, 0.7], [False, False]).aurc == 0.0
    assert risk_coverage([0.5, 0.7], [True, True]).aurc == 1.0
    assert risk_coverage([0.5, 0.7], [True, True]).ci == (1.0, 1.0)
    # a confidence that orders perfectly beats one that orders the other way round
    assert risk_coverage([0.1, 0.9], [True, False]).aurc == (0 + 1 / 2) / 2
    assert risk_coverage([0.9, 0.1], [True, False]).aurc == (1 + 1 / 2) / 2


def test_the_interval_of_the_area_covers_it_as_often_as_it_says() -> None:
    draw = random.Random(5)
    covered = 0
    for _ in range(100):  # confidence says nothing: the risk is 0.3 at every coverage
        sure = [draw.random() for _ in range(60)]
        low, high = risk_coverage(sure, [draw.random() < 0.3 for _ in sure]).ci
        covered += low <= 0.3 <= high
    assert 88 <= covered <= 100


def test_the_bins_of_confidence() -> None:
    bins = reliability([0.04, 0.06, 0.95, 1.0, 0.1], [False, True, True, True, False])
    assert [(one.count, one.confidence, one.share) for one in bins] == [
        (2, pytest.approx(0.05), 0.5),
        (1, pytest.approx(0.1), 0.0),
        (2, pytest.approx(0.975), 1.0),
    ]
    assert calibration_error(bins) == pytest.approx((2 * 0.45 + 1 * 0.1 + 2 * 0.025) / 5)


def test_the_interval_of_a_share() -> None:
    # 8 of 10, z 1.96: (0.8 + 0.19207 -+ 1.96 * sqrt(0.016 + 0.0096036)) / 1.38415
    assert wilson(8, 10) == pytest.approx((0.49016, 0.94332), abs=1e-5)
    assert wilson(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)


def test_percentiles_of_time() -> None:
    assert percentiles([n / 100 for n in range(101)]) == pytest.approx({"p50": 0.5, "p95": 0.95, "p99": 0.99})
    assert percentiles([0.2]) == {"p50": 0.2, "p95": 0.2, "p99": 0.2}
