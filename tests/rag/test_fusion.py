"""Two lists made one, by hand."""

import pytest

from index import Candidate
from rag.fusion import POOL, Fused, fuse, scaled


def candidates(*pairs: tuple[int, float]) -> list[Candidate]:
    return [Candidate(row, score) for row, score in pairs]


def test_the_union_by_half_the_scaled_scores_of_each_side() -> None:
    dense = candidates((1, 0.75), (2, 0.625), (3, 0.5))  # scaled: 1, .5, 0
    lexical = candidates((3, 8.0), (4, 6.0), (1, 4.0))  # scaled: 1, .5, 0
    assert fuse(dense, lexical) == [
        Fused(1, 0.5, 0.75, 4.0),
        Fused(3, 0.5, 0.5, 8.0),
        Fused(2, 0.25, 0.625, None),
        Fused(4, 0.25, None, 6.0),
    ]


@pytest.mark.parametrize(("weight", "rows"), [(1.0, [1, 2, 3, 4]), (0.0, [3, 4, 1, 2]), (0.7, [1, 2, 3, 4])])
def test_the_weight_is_that_of_the_dense_side(weight: float, rows: list[int]) -> None:
    # At .7: 1 has .7, 2 has .35, 3 has .3, 4 has .15.
    dense, lexical = candidates((1, 0.75), (2, 0.625), (3, 0.5)), candidates((3, 8.0), (4, 6.0), (1, 4.0))
    assert [one.row for one in fuse(dense, lexical, weight)] == rows


def test_one_side_alone_has_half_at_most() -> None:
    found = fuse(candidates((7, 0.2), (8, 0.1)), [])
    assert [(one.row, one.score, one.lexical) for one in found] == [(7, 0.5, None), (8, 0.0, None)]
    assert fuse([], []) == []


def test_scores_that_are_all_alike_are_all_one() -> None:
    assert scaled(candidates((5, -0.25))) == {5: 1.0}
    assert scaled(candidates((5, 0.25), (6, 0.25))) == {5: 1.0, 6: 1.0}


def test_negative_cosines_scale_like_others() -> None:
    assert scaled(candidates((1, 0.1), (2, -0.1), (3, -0.3))) == pytest.approx({1: 1, 2: 0.5, 3: 0})


def test_what_comes_after_the_pool_has_nothing_and_changes_nothing() -> None:
    pool = candidates(*((row, 1000.0 - row) for row in range(POOL)))
    more = [*pool, *candidates((POOL, 1.0), (POOL + 1, -5.0))]
    assert scaled(more) == {**scaled(pool), POOL: 0.0, POOL + 1: 0.0}
    assert scaled(pool)[0] == 1
    assert scaled(pool)[POOL - 1] == 0


def test_what_comes_after_a_pool_of_equals_is_not_their_equal() -> None:
    assert scaled(candidates(*((row, 0.5) for row in range(POOL)), (POOL, 0.1)))[POOL] < 1


def test_ties_stand_in_order_of_rows() -> None:
    assert [one.row for one in fuse(candidates((9, 0.5), (2, 0.5)), candidates((9, 1.0), (2, 1.0)))] == [2, 9]
