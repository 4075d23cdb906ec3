"""A sentence-transformers model as it lies in a folder: which vectors it asks for.

Read as sentence-transformers 6 saves and loads it (`modules.json`, `sentence_bert_config.json`, the
configuration of the pooling, `config_sentence_transformers.json`), and as older versions saved it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .architecture import Architecture, NotCovered, read_architecture

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"

# sentence_bert_config.json: what any value may stand at, and the values that change nothing.
_READ = {"max_seq_length", "do_lower_case", "unpad_inputs"}
_NEUTRAL = {
    "transformer_task": "feature-extraction",
    "module_output_name": "token_embeddings",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
}
# The library takes the first of these that is there.
_SETTINGS = tuple(f"sentence_{kind}_config.json" for kind in ("bert", "roberta", "distilbert", "camembert"))
# Older configurations have a switch for each way to pool.
_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_SMALL = 100_000


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What is computed of a text: `passage_prompt` or `query_prompt` and the text, in lower case if `lowercase`,
    cut to `max_length` tokens, through the encoder in `encoder`, and of its states the "mean" or the first ("cls").
    """

    encoder: Path
    architecture: Architecture
    pooling: str
    max_length: int
    lowercase: bool
    query_prompt: str
    passage_prompt: str


def read_folder(folder: Path) -> ModelFolder:
    """Raises NotCovered, with the reason, unless the folder holds a model that the graph covers."""
    encoder, pooling = _modules(folder)
    for name in (WEIGHTS, TOKENIZER):
        if not (encoder / name).is_file():
            raise NotCovered(f"it has no {name}")
    if (encoder / "adapter_config.json").exists():
        raise NotCovered("it has an adapter")
    config = _json(encoder / "config.json")
    architecture = read_architecture(config)
    settings = _settings(encoder)
    max_length = settings.get("max_seq_length")
    if max_length is None:
        given = _json(encoder / "tokenizer_config.json").get("model_max_length", architecture.table)
        max_length = min(int(given), architecture.table)
    if max_length > architecture.longest:
        raise NotCovered(f"it reads {max_length} word pieces and has positions for {architecture.longest}")
    prompts = _prompts(folder)
    return ModelFolder(
        encoder,
        architecture,
        _pooling(pooling, architecture.width),
        max_length,
        bool(settings.get("do_lower_case")),
        query_prompt=prompts.get("query") or "",
        passage_prompt=passage_prompt(prompts) or "",
    )


def passage_prompt(prompts: Mapping[str, str]) -> str | None:
    """What the model's configuration puts before a passage, as e5's "passage: ". The library takes the
    first name that is there, and it has put an empty "document" there itself.
    """
    return next((prompts[name] for name in ("document", "passage", "corpus") if prompts.get(name)), None)


def stamp(folder: Path) -> str:
    """Names a folder's content: 64 hexadecimal digits.

    Of small JSON files the content counts, of weights and vocabularies the size and the time of change:
    to hash them (0.1 to 2 GB) would take longer than to load them. Other weights in their place, the same
    in size and time, are still multiplied as the configuration says, and that is what is checked.
    """
    digest = hashlib.sha256(str(folder.resolve()).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        status = path.stat()
        small = path.suffix == ".json" and status.st_size < _SMALL
        content = path.read_bytes() if small else f"{status.st_size} {status.st_mtime_ns}".encode()
        digest.update(f"\n{path.relative_to(folder)} ".encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _modules(folder: Path) -> tuple[Path, Path]:
    """The folders of the encoder and of the pooling."""
    try:
        modules = [(one["type"], one["path"], one.get("kwargs")) for one in _json(folder / "modules.json")]
    except (KeyError, TypeError, AttributeError):
        raise NotCovered("its modules.json is of another form") from None
    names = [kind.rpartition(".")[2] for kind, _, _ in modules]
    own = [kind for kind, _, _ in modules if not kind.startswith("sentence_transformers.")]
    if own or names not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise NotCovered(f"its parts are {', '.join(own or names)}")
    if any(path != Path(path).name or given for _, path, given in modules):
        raise NotCovered("its modules.json is of another form")
    return folder / modules[0][1], folder / modules[1][1]


def _settings(encoder: Path) -> dict[str, Any]:
    file = next((encoder / name for name in _SETTINGS if (encoder / name).is_file()), None)
    settings = {} if file is None else _object(file)
    for name, value in settings.items():
        if name not in _READ and value not in (None, {}, _NEUTRAL.get(name)):
            raise NotCovered(f"its {name} is {value}")
    return settings


def _pooling(folder: Path, width: int) -> str:
    config = _object(folder / "config.json")
    chosen = config.get("pooling_mode") or [mode for switch, mode in _SWITCHES.items() if config.get(switch)]
    modes = [chosen] if isinstance(chosen, str) else chosen or ["mean"]
    if modes not in (["mean"], ["cls"]):
        raise NotCovered(f"its pooling is {' and '.join(modes)}")
    if not config.get("include_prompt", True):
        raise NotCovered("its pooling leaves the prompt out")
    if config.get("embedding_dimension", config.get("word_embedding_dimension")) != width:
        raise NotCovered(f"its pooling is not of {width} dimensions")
    return str(modes[0])


def _prompts(folder: Path) -> dict[str, str]:
    file = folder / "config_sentence_transformers.json"
    config = _object(file) if file.is_file() else {}
    if config.get("model_type", "SentenceTransformer") != "SentenceTransformer":
        raise NotCovered(f"it is a {config['model_type']}")
    if config.get("truncate_dim"):
        raise NotCovered(f"it keeps {config['truncate_dim']} dimensions")
    return config.get("prompts") or {}


def _object(file: Path) -> dict[str, Any]:
    value = _json(file)
    if not isinstance(value, dict):
        raise NotCovered(f"its {file.name} is of another form")
    return value


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise NotCovered(f"its {file.name} cannot be read") from None
