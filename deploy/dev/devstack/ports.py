"""Which TCP ports of this machine are free, and who holds the others."""

import os
import random
import socket
from collections.abc import Iterable, Mapping

import psutil

from devstack.errors import StackError

LOOPBACK = "127.0.0.1"

# Below the ports that systems hand out for outgoing connections, so that none of those can take a
# port between our choosing it and a process listening on it.
_FREE_RANGE = range(15_000, 32_000)

_handed_out: set[int] = set()


def free_ports(names: Iterable[str]) -> dict[str, str]:
    """Return a free port, as text, for each name; no port twice.

    It may be long until somebody listens on it. So each of several processes that share the tests
    hands out ports that are its own.
    """
    sharing = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = _FREE_RANGE[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % sharing :: sharing]
    candidates = iter(random.sample(own, k=len(own)))
    ports = {}
    for name in names:
        port = next(each for each in candidates if each not in _handed_out and not taken(each))
        _handed_out.add(port)
        ports[name] = str(port)
    return ports


def require_free(ports: Mapping[str, int]) -> None:
    """Insist that we can listen on these ports, given by the variable that sets each.

    Raises:
        StackError: naming the first that we cannot have, its variable and, if seen, its holder.
    """
    for variable, port in ports.items():
        if obstacle := _obstacle(port):
            raise StackError(f"port {port} {obstacle}; choose another with {variable}=<port>")


def taken(port: int) -> bool:
    """Tell whether we could not listen on this port."""
    return bool(_obstacle(port))


def _obstacle(port: int) -> str:
    """Return what keeps us from listening on a port.

    Asks twice: some systems let us listen on 127.0.0.1 beside a server on 0.0.0.0, which would go
    unnoticed.
    """
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex((LOOPBACK, port)) == 0:
            return f"is taken{_holder(port)}"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except PermissionError:
            return "may be used by root only"
        except OSError:
            return f"is taken{_holder(port)}"
    return ""


def _holder(port: int) -> str:
    """Return " by <program> (pid <n>)" if this user may know it, otherwise nothing."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""
