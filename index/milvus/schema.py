"""The collections of a store: passages, which are searched, and notes, which are only looked up."""

from contextlib import suppress

from pymilvus import DataType, Function, FunctionType, MilvusClient

from ..errors import UnreachableStore
from ..lexical import K1, B
from .server import Server

# Bytes that a field of text can hold.
LONGEST = 65_535
# And of the name of a document, which filters hold too.
LONGEST_SOURCE = 8_192
_BM25 = {"bm25_k1": K1, "bm25_b": B}


def create_notes(server: Server, name: str) -> None:
    """Rows of text by key. A collection must have vectors: these say nothing."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=512)
    schema.add_field("kind", DataType.VARCHAR, max_length=32)
    schema.add_field("file", DataType.INT64)
    schema.add_field("content", DataType.VARCHAR, max_length=LONGEST)
    schema.add_field("spare", DataType.FLOAT_VECTOR, dim=2)
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("spare", index_type="FLAT", metric_type="IP")
    _create(server, name, schema, indexes)


def create_passages(server: Server, name: str, dimension: int) -> None:
    """Passages with their vectors, and where the server has BM25 the words that it counts."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("row", DataType.INT64, is_primary=True)
    for field in ("file", "document", "start", "end", "page"):
        schema.add_field(field, DataType.INT64)
    for field in ("id", "language", "content", "bare"):
        schema.add_field(field, DataType.VARCHAR, max_length=128)
    schema.add_field("source", DataType.VARCHAR, max_length=LONGEST_SOURCE)
    for field in ("title", "heading", "text", "sentences", "codes", "scales"):
        schema.add_field(field, DataType.VARCHAR, max_length=LONGEST)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    indexes = MilvusClient.prepare_index_params()
    # Exact, and the same on every server; docs/scale.md says when and how another one takes its place.
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    if server.has_bm25:
        analyzer = {"tokenizer": "standard"}  # of every server; a token is one word to it
        schema.add_field("tokens", DataType.VARCHAR, max_length=LONGEST, enable_analyzer=True, analyzer_params=analyzer)
        schema.add_field("lexemes", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            Function(
                name="bm25",
                function_type=FunctionType.BM25,
                input_field_names=["tokens"],
                output_field_names=["lexemes"],
            )
        )
        # Milvus Lite reads the numbers from a level below, and passes over those where the server has them.
        numbers = {"params": _BM25} if server.is_lite else _BM25
        indexes.add_index("lexemes", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=numbers)
    else:
        schema.add_field("tokens", DataType.VARCHAR, max_length=LONGEST)
    _create(server, name, schema, indexes)


def _create(server: Server, name: str, schema: object, indexes: object) -> None:
    if server.call("has_collection", name):
        return
    try:
        server.patient("create_collection", name, schema=schema, index_params=indexes)
    except UnreachableStore:  # of one whose index was refused half a collection is left
        with suppress(UnreachableStore):
            server.patient("drop_collection", name)
        raise
