"""A Ray cluster of two nodes on this machine: prints its address; for each process id that it reads it kills the node
whose worker that is, all of it at once, and prints how many processes those were. Ends when its input does.
"""

import os
import signal
import sys

from ray.cluster_utils import Cluster

import psutil  # isort: skip - Ray brings it

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=1, object_store_memory=200 << 20) for _ in range(2)]
print(cluster.address, flush=True)
try:
    for line in sys.stdin:
        for node in nodes:
            raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
            family = [raylet, *raylet.children(recursive=True)] if raylet.is_running() else []
            if int(line) in [process.pid for process in family]:
                for process in family:
                    os.kill(process.pid, signal.SIGKILL)
                print(len(family), flush=True)
                break
        else:
            print(0, flush=True)
finally:
    cluster.shutdown()
