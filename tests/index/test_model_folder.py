"""What a model's folder asks for, and what of it the graph leaves to the library."""

import json
import os
from pathlib import Path

import pytest

from index.architecture import NotCovered
from index.model_folder import ModelFolder, read_folder, stamp

FILES: dict[str, object] = {
    "modules.json": [
        {"type": "sentence_transformers.models.Transformer", "path": ""},
        {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
    ],
    "config.json": {
        "model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 8,
        "layer_norm_eps": 1e-12, "max_position_embeddings": 512,
    },
    "1_Pooling/config.json": {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True},
    "sentence_bert_config.json": {"max_seq_length": 128, "do_lower_case": False},
    "tokenizer_config.json": {"model_max_length": 256},
    "tokenizer.json": {},
    "model.safetensors": {},
}  # fmt: skip


def write(folder: Path, changes: dict[str, object | None]) -> Path:
    """A folder of `FILES` with changes; None leaves a file out."""
    for name, content in {**FILES, **changes}.items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def read(folder: Path, changes: dict[str, object | None]) -> ModelFolder:
    return read_folder(write(folder, changes))


def parts(*names: str) -> list[dict[str, str]]:
    return [
        {"type": f"sentence_transformers.models.{name}", "path": f"{at}_{name}" if at else ""}
        for at, name in enumerate(names)
    ]


def test_an_older_folder(tmp_path: Path) -> None:
    model = read(tmp_path, {})
    assert (model.encoder, model.pooling, model.max_length, model.lowercase) == (tmp_path, "mean", 128, False)
    assert (model.query_prompt, model.passage_prompt) == ("", "")
    assert (model.architecture.layers, model.architecture.heads, model.architecture.width) == (1, 2, 8)


def test_a_folder_as_it_is_saved_now(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {
            "modules.json": [
                {"type": "sentence_transformers.base.modules.transformer.Transformer", "path": ""},
                {"type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling", "path": "1_Pooling"},
                {"type": "sentence_transformers.base.modules.normalize.Normalize", "path": "2_Normalize"},
            ],
            "1_Pooling/config.json": {"embedding_dimension": 8, "pooling_mode": "cls", "include_prompt": True},
            "sentence_bert_config.json": {
                "transformer_task": "feature-extraction",
                "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
                "module_output_name": "token_embeddings",
            },
            "config_sentence_transformers.json": {
                "model_type": "SentenceTransformer",
                "prompts": {"query": "query: ", "document": "", "passage": "passage: "},
                "default_prompt_name": None,
                "similarity_fn_name": "cosine",
            },
        },
    )
    assert (model.pooling, model.max_length) == ("cls", 256)  # the tokenizer's, where nothing else is said
    assert (model.query_prompt, model.passage_prompt) == ("query: ", "passage: ")


def test_the_window_without_a_length_is_the_model_s(tmp_path: Path) -> None:
    changes = {"sentence_bert_config.json": None, "tokenizer_config.json": {"model_max_length": 1e30}}
    assert read(tmp_path, changes).max_length == 512


def test_the_encoder_may_lie_in_a_folder_of_its_own(tmp_path: Path) -> None:
    inside = {f"0_Transformer/{name}": FILES[name] for name in FILES if "/" not in name and name != "modules.json"}
    modules = [{**FILES["modules.json"][0], "path": "0_Transformer"}, FILES["modules.json"][1]]  # type: ignore[index]
    assert read(tmp_path, {**inside, "modules.json": modules}).encoder == tmp_path / "0_Transformer"


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("modules.json", None, "its modules.json cannot be read"),
        ("modules.json", "{", "its modules.json cannot be read"),
        ("modules.json", {"type": "no list"}, "its modules.json is of another form"),
        ("modules.json", parts("Transformer", "Pooling", "Dense"), "its parts are Transformer, Pooling, Dense"),
        ("modules.json", parts("Transformer"), "its parts are Transformer"),
        ("modules.json", [{"type": "own.Part", "path": ""}], "its parts are own.Part"),
        ("modules.json", [{**one, "path": "../x"} for one in parts("Transformer", "Pooling")],
         "its modules.json is of another form"),
        ("model.safetensors", None, "it has no model.safetensors"),
        ("tokenizer.json", None, "it has no tokenizer.json"),
        ("adapter_config.json", {}, "it has an adapter"),
        ("config.json", {"model_type": "t5"}, "its architecture is t5"),
        ("sentence_bert_config.json", {"max_seq_length": 513}, "it reads 513 word pieces and has positions for 512"),
        ("sentence_bert_config.json", {"query_length": 32}, "its query_length is 32"),
        ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "its transformer_task is fill-mask"),
        ("sentence_bert_config.json", [], "its sentence_bert_config.json is of another form"),
        ("1_Pooling/config.json", {"word_embedding_dimension": 8, "pooling_mode_max_tokens": True},
         "its pooling is max"),
        ("1_Pooling/config.json", {"embedding_dimension": 8, "pooling_mode": ["cls", "mean"]},
         "its pooling is cls and mean"),
        ("1_Pooling/config.json", {"embedding_dimension": 8, "pooling_mode": "mean", "include_prompt": False},
         "its pooling leaves the prompt out"),
        ("1_Pooling/config.json", {"embedding_dimension": 9, "pooling_mode": "mean"},
         "its pooling is not of 8 dimensions"),
        ("config_sentence_transformers.json", {"truncate_dim": 4}, "it keeps 4 dimensions"),
        ("config_sentence_transformers.json", {"model_type": "SparseEncoder"}, "it is a SparseEncoder"),
    ],
)  # fmt: skip
def test_what_is_left_to_the_library(file: str, content: object, why: str, tmp_path: Path) -> None:
    with pytest.raises(NotCovered) as error:
        read(tmp_path, {file: content})
    assert str(error.value) == why


def test_the_stamp_is_of_what_lies_in_the_folder(tmp_path: Path) -> None:
    folder = write(tmp_path, {})
    first = stamp(folder)
    assert stamp(folder) == first
    os.utime(folder / "config.json", ns=(1, 1))
    assert stamp(folder) == first  # its content counts
    status = (folder / "model.safetensors").stat()
    os.utime(folder / "model.safetensors", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    second = stamp(folder)
    assert second != first
    write(tmp_path, {"sentence_bert_config.json": {"max_seq_length": 129, "do_lower_case": False}})
    os.utime(folder / "model.safetensors", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert stamp(folder) not in (first, second)
