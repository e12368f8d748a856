"""Web servers of all services: loopback or private addresses only; sizes by environment."""

import gc
import os
import shutil
from pathlib import Path

from prometheus_client import multiprocess

from service_kit import draining

gc.disable()  # an import makes much that stays, little that goes: looking for it is wasted

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ['PORT']}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "32"))
preload_app = True  # imported once; connections are opened in the workers, when first needed
keepalive = 75  # longer than the gateway keeps an idle connection
timeout = 30
# After SIGTERM a process says that it is not ready, serves on, and ends each connection with its
# answer. That takes longer than the gateway needs to notice, and than an idle connection to it is
# kept (2 s, by whomever): when it stops listening, nobody has a connection or makes one.
drain_seconds = int(os.environ.get("DRAIN_SECONDS", "5"))
graceful_timeout = drain_seconds + 15
accesslog = None  # the app logs each request with its id
errorlog = "-"
control_socket_disable = True

metrics_folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if metrics_folder:  # begin empty, before the app is imported: an earlier run would be counted again
    shutil.rmtree(metrics_folder, ignore_errors=True)
    Path(metrics_folder).mkdir(parents=True, exist_ok=True)  # a mount cannot be removed


def when_ready(_server):
    """Never look again at what is imported: that would copy what the workers share."""
    gc.freeze()
    gc.enable()


def post_worker_init(_worker):
    """Drain before stopping; begin what goes on beside requests: threads do not survive a fork."""
    from service_kit import metrics  # not before the folder is empty
    from service_kit.shared_counts import SharedCounts

    metrics.look_regularly()
    SharedCounts.share_regularly()
    if drain_seconds:
        draining.before_stopping(drain_seconds)


def pre_request(_worker, request):
    """Have a connection end in order, with an answer that says so."""
    if draining.begun():
        request.force_close()


def child_exit(_server, worker):
    """Tell the metrics that a worker is gone."""
    if metrics_folder:
        multiprocess.mark_process_dead(worker.pid)
