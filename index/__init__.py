"""Documents to passages to a stored, searchable generation."""

from .chunking import ChunkSettings
from .documents import Document, Page, Passage, Section
from .embedding import Embedder
from .index import Candidates, Index
from .store import Candidate

__all__ = ["Candidate", "Candidates", "ChunkSettings", "Document", "Embedder", "Index", "Page", "Passage", "Section"]
