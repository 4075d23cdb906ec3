"""LlamaIndex: its own vector store, chunks by its sentence splitter within our budget of tokens."""

from pathlib import Path

import tiktoken
from driving import ENCODING, NEAREST, OVERLAP, SIZE, drive, model_folder
from llama_index.core import Document, Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.huggingface import HuggingFaceEmbedding


def settle() -> None:
    Settings.embed_model = HuggingFaceEmbedding(model_name=model_folder())
    tokens = tiktoken.get_encoding(ENCODING).encode_ordinary
    Settings.node_parser = SentenceSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP, tokenizer=tokens)


def opened(store: Path) -> VectorStoreIndex:
    settle()
    return load_index_from_storage(StorageContext.from_defaults(persist_dir=str(store)))


def build(texts: dict[str, str], store: Path) -> int:
    settle()
    index = VectorStoreIndex.from_documents([Document(text=text, doc_id=name) for name, text in texts.items()])
    index.storage_context.persist(str(store))
    return len(index.docstore.docs)


def ask(store: Path, question: str) -> list[str]:
    found = opened(store).as_retriever(similarity_top_k=NEAREST).retrieve(question)
    return [one.node.get_content() for one in found]


def change(store: Path):  # type: ignore[no-untyped-def]
    index = opened(store)

    def changed(name: str, text: str) -> int:
        """Every chunk of the file, in the store and on disk."""
        index.refresh_ref_docs([Document(text=text, doc_id=name)])
        index.storage_context.persist(str(store))
        return len(index.ref_doc_info[name].node_ids)

    return changed


if __name__ == "__main__":
    drive(build, ask, change)
