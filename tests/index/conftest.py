"""Sentence-transformers models of two small layers with random weights, as the library saves them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CORPUS = [
    "The quick brown fox jumps over the lazy dog.",
    "Ada built a bridge. She liked it. When does the lease end?",
    "Der Vertrag endet am 31. Dezember 2019. Wer hat ihn geschrieben?",
    "query: passage: numbers 0 1 2 3 4 5 6 7 8 9 and word",
] * 5
WINDOW = 40


def _tokenizer(kind: str) -> Any:
    """A small vocabulary: byte pairs for RoBERTa, else word pieces."""
    import transformers
    from tokenizers import ByteLevelBPETokenizer, Tokenizer, models, normalizers, pre_tokenizers, trainers

    if kind == "roberta":
        pairs = ByteLevelBPETokenizer()
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        pairs.train_from_iterator(CORPUS, vocab_size=400, special_tokens=special, show_progress=False)
        return transformers.RobertaTokenizerFast(tokenizer_object=pairs._tokenizer, model_max_length=WINDOW)
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    return transformers.BertTokenizerFast(vocab=pieces.get_vocab(), model_max_length=WINDOW)


def _encoder(kind: str, vocabulary: int) -> Any:
    import transformers

    common = {"vocab_size": vocabulary, "initializer_range": 0.3}
    if kind == "distilbert":
        small = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": WINDOW}
        return transformers.DistilBertModel(transformers.DistilBertConfig(**common, **small))
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    if kind == "roberta":  # its padding has number 1, so its first position is 2
        config = transformers.RobertaConfig(**common, **small, max_position_embeddings=WINDOW + 2, type_vocab_size=1)
        return transformers.RobertaModel(config, add_pooling_layer=False)
    config = transformers.BertConfig(**common, **small, max_position_embeddings=WINDOW)
    return transformers.BertModel(config, add_pooling_layer=False)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a model's folder: a kind of encoder, a way of pooling, prompts, with a Dense layer or without."""

    def tiny_model(
        kind: str = "bert", pooling: str = "mean", prompts: dict[str, str] | None = None, dense: bool = False
    ) -> Path:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.base.modules import Dense, Normalize, Transformer
        from sentence_transformers.sentence_transformer.modules import Pooling

        torch.manual_seed(7)
        folder = tmp_path_factory.mktemp("model")
        tokenizer = _tokenizer(kind)
        encoder = _encoder(kind, len(tokenizer))
        with torch.no_grad():  # as if it had been trained: biases and gains are not 0 and 1
            for value in encoder.parameters():
                value += 0.1 * torch.randn_like(value)
        encoder.save_pretrained(folder / "encoder")
        tokenizer.save_pretrained(folder / "encoder")
        parts = [Transformer(str(folder / "encoder")), Pooling(32, pooling), Normalize()]
        if dense:
            parts.insert(2, Dense(32, 16))
        SentenceTransformer(modules=parts, prompts=prompts, device="cpu").save(str(folder / "saved"))
        return folder / "saved"

    return tiny_model
