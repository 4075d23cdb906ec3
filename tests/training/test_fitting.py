"""Training on a few groups: it learns, and it goes on where it was stopped."""

from collections.abc import Iterable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from rag.windows import Window  # noqa: E402
from training import fitting  # noqa: E402
from training.examples import Example, Group  # noqa: E402


def example(answers: bool, word: int) -> Example:
    ids = (101, 2043, 102, 2009, word, 2003, 102)
    window = Window(ids, 3, ((0, 2), (3, 5), (6, 8)))
    return Example(window, 1.0, (4,), (4,)) if answers else Example(window, 0.0)


def epochs(seed: str) -> Iterable[Group]:
    for at in range(60):
        yield [example(True, 3000 + at % 3), example(False, 4000 + at % 5)]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "GROUPS", 4)
    monkeypatch.setattr(fitting, "_SORTED", 20)
    monkeypatch.setattr(fitting, "_CHECKPOINT_EVERY", 5)
    monkeypatch.setattr(fitting, "RATE", 3e-3)


def test_it_learns_what_answers_and_where(tiny: Path, tmp_path: Path) -> None:
    said: list[str] = []
    model = fitting.fit(tiny, epochs, 400, [], tmp_path, said.append)
    losses = fitting.losses_of(model, list(epochs(""))[:6], torch.device("cpu"))
    assert all(losses[name].item() < 0.05 for name in ("answers", "rank", "span"))
    assert [line.split(":")[0] for line in said] == ["step 50 of 100", "step 100 of 100"]


def test_a_stopped_run_ends_as_one_that_was_not(tiny: Path, tmp_path: Path) -> None:
    claimed = [(f"claim {number}", "evidence of it", number % 2 == 0) for number in range(9)]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    expected = fitting.fit(tiny, epochs, 64, claimed, whole, lambda line: None)

    class Stopped(Exception):
        pass

    def until(line: str) -> None:
        raise Stopped

    def stopping(seed: str) -> Iterable[Group]:
        for number, group in enumerate(epochs(seed)):
            if number == 50:  # in the third pool: after the checkpoint of step 10
                raise Stopped
            yield group

    with pytest.raises(Stopped):
        fitting.fit(tiny, stopping, 64, claimed, parts, until)
    said: list[str] = []
    found = fitting.fit(tiny, epochs, 64, claimed, parts, said.append)
    assert said[0] == "going on after step 10 of 16"
    for name, value in expected.state().items():
        assert torch.equal(value, found.state()[name]), name


def test_a_checkpoint_is_whole_or_the_one_before(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitting.fit(tiny, epochs, 20, [], tmp_path, lambda line: None)
    kept = (tmp_path / "checkpoint.pt").read_bytes()

    def cut(state: object, file: Path) -> None:
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", cut)
    with pytest.raises(KeyboardInterrupt):
        fitting.fit(tiny, epochs, 60, [], tmp_path, lambda line: None)
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept
