"""The process beside an update that talks to Ray; it ends when the update does.

It gets a socket: the setup, the parts, and then the end of the update can be read from it; answers are written to it,
a first byte "+" before them, and "!" before the reason why there are no more. Nothing of ours is imported into it but
the worker, by name: its workers find the package installed where they run.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Never

from .worker import AT_ONCE, Attempts, Worker, code

# Processors that a worker takes: one thread of it reads, so many can embed what it reads.
_EACH = 4
# Bytes of shared memory of a local cluster, through which parts and answers go.
_STORE = 256 << 20
# Seconds that Ray has to end.
_END_S = 10.0


class _Shared(Attempts):
    """Those of another process, asked through its actor."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def begin(self, what: str) -> int:
        import ray

        return int(ray.get(self._actor.begin.remote(what)))

    def begun(self, what: str) -> int:
        import ray

        return int(ray.get(self._actor.begun.remote(what)))

    def end(self, what: str) -> None:
        import ray

        ray.get(self._actor.end.remote(what))


def main(fd: int) -> Never:
    """Do one job; never returns."""
    connection = Connection(fd)
    setup = json.loads(connection.recv_bytes())
    parts = [connection.recv_bytes() for _ in range(setup["parts"])]
    threading.Thread(target=_watch, args=[connection, setup["folder"]], daemon=True).start()
    try:
        for answer in _answers(setup, parts):
            connection.send_bytes(b"+" + answer)
    except (BrokenPipeError, SystemExit):
        pass
    except BaseException as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = f"Ray ended with {type(error).__name__}: {lines[-1][:300] if lines else ''}"
        with suppress(OSError):
            connection.send_bytes(b"!" + reason.encode("utf-8", "replace"))
    while True:  # the update says when it has what it wants, by ending or by closing its end
        time.sleep(60)


def _watch(connection: Connection, folder: str) -> None:
    with suppress(EOFError, OSError):
        connection.recv_bytes()
    threading.Timer(_END_S, os._exit, [1]).start()
    import ray

    with suppress(Exception):
        ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _answers(setup: dict[str, Any], parts: Sequence[bytes]) -> Iterator[bytes]:
    import ray
    import ray.data
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    local = setup["address"] == "local"
    options: dict[str, Any] = {"address": setup["address"], "log_to_driver": False, "logging_level": "ERROR"}
    if local:
        options |= {"num_cpus": setup["processors"], "include_dashboard": False, "object_store_memory": _STORE}
        options |= {"_temp_dir": f"{setup['folder']}/ray"}
    ray.init(**options)
    yield b""  # it has begun
    nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    nodes = [processors for processors in nodes if processors]
    if not nodes:
        raise RuntimeError("none of its machines offers a processor (num_cpus)")
    each = min(_EACH, *nodes)
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    attempts = ray.remote(Attempts).options(num_cpus=0, scheduling_strategy=here).remote()
    setup = {**setup, "processors": each, "code": code()}
    # No repartition: its tasks would wait for processors that the workers have taken.
    data = ray.data.from_items([{"part": part} for part in parts], override_num_blocks=len(parts)).map_batches(
        Worker,
        fn_constructor_args=(setup, _Shared(attempts)),
        batch_size=1,
        num_cpus=each,
        compute=ray.data.ActorPoolStrategy(
            size=min(len(parts), sum(processors // each for processors in nodes)),
            max_tasks_in_flight_per_actor=AT_ONCE + 1,
            max_concurrent_calls_per_actor=AT_ONCE,
            enable_true_multi_threading=True,
        ),
    )
    for rows in data.iter_batches(batch_size=1, batch_format="numpy", prefetch_batches=0):
        yield from map(bytes, rows["answer"])
