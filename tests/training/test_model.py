"""What is trained is what is shipped: torch and the graph compute the same."""

from pathlib import Path

import numpy as np
import pytest

from index.graph import Weights, bert_session

torch = pytest.importorskip("torch")

from training.export import export  # noqa: E402
from training.model import Reader  # noqa: E402

IDS = np.array([[101, 2043, 2001, 1996, 2958, 2441, 102, 2009, 2441, 1999, 3326, 1012, 102]])


def hidden(session: object, ids: np.ndarray) -> np.ndarray:
    feed = {"ids": ids, "positions": np.arange(ids.shape[1])[None]}
    return session.run(["hidden"], feed)[0]  # type: ignore[attr-defined]


def test_torch_and_the_graph_agree_on_the_shipped_file(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    model = Reader(tiny)
    with torch.no_grad():
        for value in model.trained.values():  # as if it had been trained
            value += 0.05 * torch.randn_like(value)
    export(model, tmp_path / "reader.safetensors")
    weights = Weights(tmp_path / "reader.safetensors")
    assert weights.quantised
    monkeypatch.setattr("index.graph.exact_integers", lambda: False)
    states = hidden(bert_session(tiny, weights), IDS)
    with torch.no_grad():
        for name, value in model.trained.items():  # what int8 leaves of them
            value.copy_(torch.from_numpy(np.array(weights.read(name.replace("/", ".")))))
        out = model(torch.from_numpy(IDS), torch.ones(1, IDS.shape[1], dtype=torch.bool))
    span = states @ weights.read("span.weight").T + weights.read("span.bias")
    assert np.abs(span - out["span"].numpy()).max() < 1e-4
    answers = states[:, 0] @ weights.read("answers.weight")[0] + weights.read("answers.bias")
    assert np.abs(answers - out["answers"].numpy()).max() < 1e-4


def test_integers_give_nearly_the_same_as_what_they_stand_for(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(Reader(tiny), tmp_path / "reader.safetensors")
    found = {}
    for exact in (False, True):
        monkeypatch.setattr("index.graph.exact_integers", lambda exact=exact: exact)
        found[exact] = hidden(bert_session(tiny, Weights(tmp_path / "reader.safetensors")), IDS)
    cosine = (found[False] * found[True]).sum() / np.linalg.norm(found[False]) / np.linalg.norm(found[True])
    assert 0.99 < cosine < 1


def test_training_for_integers_computes_as_the_graph_does(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.graph.exact_integers", lambda: True)
    model = Reader(tiny)
    export(model, tmp_path / "reader.safetensors")
    weights = Weights(tmp_path / "reader.safetensors")
    model.quantising = True
    with torch.no_grad():
        span = model(torch.from_numpy(IDS), torch.ones(1, IDS.shape[1], dtype=torch.bool))["span"].numpy()
    shipped = hidden(bert_session(tiny, weights), IDS) @ weights.read("span.weight").T + weights.read("span.bias")
    plain = Reader(tiny)
    plain.load_state_dict(model.state_dict())
    with torch.no_grad():
        exact = plain(torch.from_numpy(IDS), torch.ones(1, IDS.shape[1], dtype=torch.bool))["span"].numpy()
    assert np.abs(span - shipped).max() < np.abs(span - exact).max() / 2


def test_padding_changes_nothing(tiny: Path) -> None:
    model = Reader(tiny)
    ids = torch.from_numpy(np.pad(IDS, ((0, 0), (0, 7))))
    with torch.no_grad():
        alone = model(torch.from_numpy(IDS), torch.ones(1, IDS.shape[1], dtype=torch.bool))["span"]
        padded = model(ids, ids > 0)["span"]
    assert torch.allclose(padded[:, : IDS.shape[1]], alone, atol=1e-5)
