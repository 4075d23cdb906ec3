"""Which store an index is in: the folder itself, or the one that a file in it names.

The folder of an index on a server holds what is local, its own library and conversations, and the file `store`.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from .caching import cache_folder
from .durable import committing, make_folder, sync_folder, write_synced
from .errors import UsageError
from .folder.store import FolderStore
from .store import Store

# The file in an index folder that holds the address of its store.
STORE = "store"
_SCHEME = "milvus://"


def is_address(at: Path | str) -> bool:
    """Whether a name is the address of a store, not a folder."""
    return isinstance(at, str) and at.startswith(_SCHEME)


def place(at: Path | str) -> Path:
    """The folder of an index: `at` itself, or for an address one in the cache that stands for it."""
    if not is_address(at):
        return Path(at)
    folder = cache_folder() / "stores" / hashlib.sha256(str(at).encode()).hexdigest()[:16]
    bind(folder, str(at))
    return folder


def bind(folder: Path, address: str) -> None:
    """Let the folder stand for the store at `address` from now on.

    Raises UsageError for an address that is none, and for a folder that is an index of its own or stands for another.
    """
    from .milvus.address import Address

    address = str(Address.parse(address))
    bound = _bound(folder)
    if bound == address:
        return
    if bound:
        raise UsageError(f"the index at {folder} is in {bound}, not in {address}: name another folder with --index")
    if FolderStore(folder).exists():
        raise UsageError(f"{folder} holds an index of its own, none in {address}: name another folder with --index")
    with committing(folder):
        make_folder(folder)
        write_synced(folder / STORE, f"{address}\n".encode())
        sync_folder(folder)


def beside(address: str, name: str) -> str:
    """The address of another index on the same server: `name` is joined to that of its collection."""
    from .milvus.address import Address

    return str(Address.parse(address).beside(name))


def store_at(folder: Path) -> Store:
    """The store of the index in this folder."""
    if address := _bound(folder):
        from .milvus.store import MilvusStore  # what an index on this machine does not import

        return MilvusStore(folder, address)
    return FolderStore(folder)


def _bound(folder: Path) -> str:
    """The address that the folder stands for; empty if it stands for none."""
    with suppress(OSError, UnicodeDecodeError):
        return (folder / STORE).read_text().strip()
    return ""
