"""Counts of cl100k_base, without its download."""

import time

import pytest

from index.tokens import count_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), ("tiktoken is great!", 6), ("antidisestablishmentarianism", 6), ("お誕生日おめでとう", 9)],
)
def test_counts_of_the_published_encoding(text: str, tokens: int) -> None:
    # The last four are those of OpenAI's cookbook, "How to count tokens with tiktoken".
    assert count_tokens([text]) == [tokens]


def test_what_looks_like_a_control_token_is_text() -> None:
    (count,) = count_tokens(["<|endoftext|>"])
    assert count > 1


def test_no_texts_no_counts() -> None:
    assert count_tokens([]) == []


def test_a_surrogate_is_counted_like_what_replaces_it() -> None:
    assert count_tokens(["a\ud800b"]) == count_tokens(["a\ufffdb"])


def test_a_long_word_does_not_take_quadratic_time() -> None:
    started = time.process_time()
    assert count_tokens(["a" * 1_000_000])[0] == 100 * count_tokens(["a" * 10_000])[0]
    assert time.process_time() - started < 5
