"""Everything that can go wrong, as one tree.

FootnotedError            base; its text is one line: what was got and what to do
+-- UsageError            the request makes no sense (no such path, an empty question, a bad setting)
+-- DocumentError         one file cannot become documents; indexing goes on without it
|   +-- SkippedFile       nothing to read in it (unknown format, no text); not a failure
|   +-- FailedFile        it should have been readable and was not (corrupt, encrypted, no permission)
+-- UnusableIndex         the index folder cannot be used
|   +-- NoIndex           there is none at that path
|   +-- DamagedIndex      a byte is changed, cut or missing; names the file
|   +-- OtherIndex        made with another model, dimension, chunking or format; names both
|   +-- LockedIndex       another process is writing to it; names the process
|   +-- UnreachableStore  the server that holds it does not answer in time; names address and cause
|   +-- FailedWrite       the disk is full, broken or forbidden; names path and cause; what was committed stands
+-- ClusterError          Ray's workers cannot be used, or were not done in time; what was committed stands
+-- ModelError            the embedding model cannot be loaded or is not the expected one
+-- GeneratorError        the language model gave no answer; what the documents say is quoted instead
"""


class FootnotedError(Exception):
    """Base of every error that a user can cause or mend; `str(error)` is one line for a person."""


class UsageError(FootnotedError):
    """Raised when a request makes no sense: a path that does not exist, an empty question."""


class DocumentError(FootnotedError):
    """Raised when one file cannot become documents; `str(error)` is the reason shown for it."""


class SkippedFile(DocumentError):
    """Raised when a file holds nothing to index: unknown format, no text."""


class FailedFile(DocumentError):
    """Raised when a file should have been readable and was not: corrupt, encrypted, forbidden."""


class UnusableIndex(FootnotedError):
    """Raised when an index folder cannot be used; its subclasses say why."""


class NoIndex(UnusableIndex):
    """Raised when a folder holds no index."""


class DamagedIndex(UnusableIndex):
    """Raised when a file that the index stands on was changed, cut or removed; names the file."""


class OtherIndex(UnusableIndex):
    """Raised when an index was made with another model, dimension, chunking or format; names both."""


class LockedIndex(UnusableIndex):
    """Raised when another process is writing to the index; names its process id and the path."""


class UnreachableStore(UnusableIndex):
    """Raised when the server that holds an index is away, too slow, or refuses; names its address and the cause."""


class FailedWrite(UnusableIndex):
    """Raised when a commit cannot be written; what was committed before stands."""


class ClusterError(FootnotedError):
    """Raised when a Ray cluster cannot be reached, ends before its work does, or is not done within the deadline."""


class ModelError(FootnotedError):
    """Raised when the embedding model cannot be loaded or is not the file it should be."""


class GeneratorError(FootnotedError):
    """Raised when a language model gives no whole answer: down, slow, garbled, cut off; never holds its key."""
