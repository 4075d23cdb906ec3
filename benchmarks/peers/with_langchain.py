"""LangChain: its FAISS store, chunks by its recursive splitter within our budget of tokens."""

from pathlib import Path

from driving import ENCODING, NEAREST, OVERLAP, SIZE, drive, model_folder
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter


def chunks(name: str, text: str) -> list[Document]:
    splitter = RecursiveCharacterTextSplitter.from_tiktoken_encoder(ENCODING, chunk_size=SIZE, chunk_overlap=OVERLAP)
    documents = splitter.create_documents([text], [{"source": name}])
    for number, document in enumerate(documents):
        document.id = f"{name}#{number}"
    return documents


def embeddings() -> HuggingFaceEmbeddings:
    return HuggingFaceEmbeddings(model_name=model_folder(), encode_kwargs={"normalize_embeddings": True})


def opened(store: Path) -> FAISS:
    return FAISS.load_local(str(store), embeddings(), allow_dangerous_deserialization=True)


def build(texts: dict[str, str], store: Path) -> int:
    documents = [chunk for name, text in texts.items() for chunk in chunks(name, text)]
    FAISS.from_documents(documents, embeddings()).save_local(str(store))
    return len(documents)


def ask(store: Path, question: str) -> list[str]:
    return [document.page_content for document in opened(store).similarity_search(question, NEAREST)]


def change(store: Path):  # type: ignore[no-untyped-def]
    held = opened(store)

    def changed(name: str, text: str) -> int:
        """Every chunk of the file, in the store and on disk."""
        documents = chunks(name, text)
        held.delete([key for key in held.index_to_docstore_id.values() if key.startswith(f"{name}#")])
        held.add_documents(documents)
        held.save_local(str(store))
        return len(documents)

    return changed


if __name__ == "__main__":
    drive(build, ask, change)
