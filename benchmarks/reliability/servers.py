"""Milvus servers that tests and benchmarks start for themselves: on this machine, on free ports, in a folder.

`lite` is `milvus-lite server` of this environment, `real` Milvus 2.3.5, which lives in an environment of its own:
make .bench/milvus/installed, or FOOTNOTED_TEST_MILVUS names another one.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Seconds that each may take to answer; this machine may be doing other things.
_LITE_S, _REAL_S = 60, 180
# It finds out sooner that it was restarted, and what was written is seen sooner; vectors are compared exactly.
_QUICK = {
    "COMMON_SESSION_TTL": "5",
    "PROXY_TIMETICKINTERVAL": "20",
    "QUERYNODE_SEGCORE_INTERIMINDEX_ENABLEINDEX": "false",
}
# Unpacks the server into a folder (250 MB), with ports that are free for every part of it.
_UNPACK = """
import sys
import milvus
server = milvus.MilvusServer(milvus.MilvusServerConfig())
server.set_base_dir(sys.argv[1])
ports = [name for name in server.config_keys if name.endswith("_port")]
for name, port in zip(ports, sys.argv[3:]):
    server.config.set(name, int(port))
server.config.set("proxy_port", int(sys.argv[2]))
server.config.resolve()
milvus._initialize_data_files(sys.argv[1])
"""


class Missing(Exception):
    """Raised when a server cannot be had here; says why."""


class Server:
    """A server that runs, `kind` "lite" or "real", its data in `folder`: killed, hung and started again at will."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.port = free_port()
        self._command, self._environment = (_lite if kind == "lite" else _real)(folder, self.port)
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, collection: str) -> str:
        return f"milvus://127.0.0.1:{self.port}/{collection}"

    def start(self) -> "Server":
        """Return when it answers."""
        self.begin()
        self.wait()
        return self

    def begin(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        from pymilvus import MilvusClient

        until = time.monotonic() + (_LITE_S if self.kind == "lite" else _REAL_S)
        last = None
        while time.monotonic() < until:
            assert self._process
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                client = MilvusClient(f"http://127.0.0.1:{self.port}", timeout=2, dedicated=True)
                try:
                    client.list_collections(timeout=2)
                    return
                finally:
                    client.close()
            except Exception as error:  # whatever a server says that is not ready
                last = error
                time.sleep(0.1)
        self.kill()
        raise RuntimeError(f"the server on port {self.port} did not start ({last}): see {self.folder / 'log'}")

    def kill(self) -> None:
        """SIGKILL to all of it: 2.3.5 does not heed SIGTERM for half a minute."""
        if self._process:
            self.signal(signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def signal(self, number: int) -> None:
        """To every process of it: SIGSTOP hangs it, SIGCONT lets it go on."""
        assert self._process
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def check_lite() -> None:
    """Raises Missing where there is no Milvus Lite."""
    try:
        import milvus_lite  # noqa: F401
        import pymilvus  # noqa: F401
    except ImportError as error:
        raise Missing(f"no Milvus Lite: {error}") from None


def _lite(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    check_lite()
    program = Path(sys.executable).with_name("milvus-lite")
    if not program.exists():
        raise Missing(f"no {program}")
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(program), "server", "--data-dir", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)]
    return command, dict(os.environ)


def _real(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    check_lite()  # for its client
    environment = Path(os.environ.get("FOOTNOTED_TEST_MILVUS") or ROOT / ".bench" / "milvus")
    if not (environment / "bin" / "milvus-server").exists():
        raise Missing(f"no Milvus 2.3.5 in {environment}: make .bench/milvus/installed")
    folder.mkdir(parents=True, exist_ok=True)
    ports = [str(free_port()) for _ in range(16)]
    python = environment / "bin" / "python"
    subprocess.run([python, "-c", _UNPACK, str(folder), str(port), *ports], check=True)
    # Its etcd would take one port for every server on this machine.
    peer, client = free_port(), free_port()
    (folder / "configs" / "etcd.yaml").write_text(
        f"name: default\nlisten-peer-urls: http://127.0.0.1:{peer}\nlisten-client-urls: http://127.0.0.1:{client}\n"
        f"advertise-client-urls: http://127.0.0.1:{client}\ninitial-advertise-peer-urls: http://127.0.0.1:{peer}\n"
        f"initial-cluster: default=http://127.0.0.1:{peer}\n"
    )
    settings = {
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": str(free_port()),
        "MILVUS_RUN_DIR": str(folder / "run"),
        "LD_LIBRARY_PATH": str(folder / "bin"),
        "ETCD_CONFIG_PATH": str(folder / "configs" / "etcd.yaml"),
    }
    return [str(folder / "bin" / "milvus"), "run", "standalone"], {**os.environ, **_QUICK, **settings}
