"""Intervals and tests of chance: by hand where few values allow it, by repetition where not."""

import random
from itertools import product
from statistics import fmean

import pytest

from eval.bootstrap import auroc, auroc_interval, holm, interval, least_p, randomisation


def test_constant_values_give_a_point() -> None:
    assert interval([0.1] * 7) == (0.1, 0.1)
    assert interval([0.3]) == (0.3, 0.3)


def test_the_interval_of_a_fair_coin() -> None:
    # 100 draws of mean 1/2: standard error 0.05, so 0.5 -+ 1.96 * 0.05 = 0.402 to 0.598
    low, high = interval([0.0, 1.0] * 50)
    assert low == pytest.approx(0.402, abs=0.015)
    assert high == pytest.approx(0.598, abs=0.015)


def test_the_same_values_give_the_same_interval() -> None:
    values = [random.Random(1).random() for _ in range(50)]
    assert interval(values) == interval(values)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    draw = random.Random(7)
    covered = 0
    for _ in range(300):
        low, high = interval([float(draw.random() < 0.3) for _ in range(80)], rounds=500)
        covered += low <= 0.3 <= high
    assert 0.90 <= covered / 300 <= 0.98  # 95 % asked; the percentile method runs slightly low


def test_no_values_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no values"):
        interval([])


def test_randomisation_by_hand() -> None:
    # all 8 sign assignments of (1, 2, 3) have sums 6 4 2 0 0 -2 -4 -6: two are as far out as 6
    assert randomisation([1, 2, 3]) == 2 / 8
    # observed sum 4: 6, 4, -4, -6
    assert randomisation([-1, 2, 3]) == 4 / 8
    # zeros change nothing
    assert randomisation([0, 1, 0, 2, 3]) == 2 / 8
    assert randomisation([0.0, 0.0]) == 1.0
    # 1.0 .8 .6 .4 .4 and their negatives reach .4, not all of them in floating point
    assert randomisation([0.1, 0.2, -0.3, 0.4]) == 10 / 16


def test_drawn_assignments_agree_with_all_of_them() -> None:
    draw = random.Random(3)
    differences = [draw.gauss(0.5, 1) for _ in range(12)]
    signs = list(product([1, -1], repeat=12))
    observed = abs(sum(differences)) - 1e-9
    exact = fmean(abs(sum(s * d for s, d in zip(row, differences, strict=True))) >= observed for row in signs)
    assert randomisation(differences, rounds=4096) == pytest.approx(exact)
    assert randomisation(differences, rounds=4000) == pytest.approx(exact, abs=0.03)


def test_a_drawn_p_is_never_zero() -> None:
    assert randomisation([1.0] * 2000, rounds=99) == 1 / 100  # more signs than a float can count


def test_holm_by_hand() -> None:
    # ascending .01 .02 .04 times 3, 2, 1: .03 .04 .04
    assert holm([0.04, 0.01, 0.02], [0.0] * 3) == pytest.approx([0.04, 0.03, 0.04])
    # .03 * 2 = .06 lifts .05 * 1; nothing exceeds 1
    assert holm([0.05, 0.03], [0.0] * 2) == pytest.approx([0.06, 0.06])
    assert holm([0.9, 0.8], [0.0] * 2) == [1.0, 1.0]
    assert holm([], []) == []


def test_measures_that_hardly_differ_hide_no_other() -> None:
    assert least_p([0.5] * 5 + [0.0] * 100) == 1 / 16  # five heads, or five tails, of 32
    assert least_p([0.5] * 6 + [-1e-17]) == 1 / 32
    assert least_p([]) == 1.0
    # two of four can be significant: .02 times 2, .03 times 1 lifted to it
    assert holm([0.02, 1.0, 0.0625, 0.03], [0.001, 1.0, 0.0625, 0.001]) == [0.04, 1.0, 0.0625, 0.04]


def test_a_test_that_is_not_counted_is_never_significant() -> None:
    for changed in range(1, 6):
        p = randomisation([1.0] * changed + [0.0] * 50)
        assert p == least_p([1.0] * changed) >= 0.05
    assert randomisation([1.0] * 6) == least_p([1.0] * 6) < 0.05


def test_auroc_by_hand() -> None:
    # pairs: .9>.5 .9>.1 .5=.5 .5>.1 -> (1 + 1 + .5 + 1) / 4
    assert auroc([0.9, 0.5], [0.5, 0.1]) == 3.5 / 4
    assert auroc([0.1], [0.9]) == 0.0
    assert auroc([0.5, 0.5], [0.5]) == 0.5
    assert auroc([], [0.5]) is None
    assert auroc([0.5], []) is None


def test_the_interval_of_an_auroc() -> None:
    assert auroc_interval([0.9, 0.8], [0.1]) == (1.0, 1.0)
    assert auroc_interval([0.5], []) is None
    # by Hanley and McNeil (1982) the standard error at an area of 1/2 is sqrt((2n + 1) / 12n^2): .0578 for n = 50
    draw = random.Random(2)
    positives, negatives = [[draw.random() for _ in range(50)] for _ in range(2)]
    low, high = auroc_interval(positives, negatives)
    assert (low + high) / 2 == pytest.approx(auroc(positives, negatives), abs=0.01)
    assert high - low == pytest.approx(2 * 1.96 * 0.0578, abs=0.02)
