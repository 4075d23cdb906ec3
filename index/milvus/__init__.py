"""An index in collections of a Milvus server."""
