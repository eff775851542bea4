"""
Clients of Dask clusters: of an address, of a cluster made here, or of somebody else; and what is awaited while they connect.

The engine is imported here and nowhere else, when it is first asked for.
"""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

from saturi.etl.errors import ClusterError, OptionError
from saturi.etl.runtime.interrupts import interrupts_deferred
from saturi.etl.runtime.processes import checked_workers
from saturi.etl.runtime.waiting import reported_after

SILENT_SECONDS = 5.0
"""Of waiting for a scheduler or a worker, before that is said."""

_PATIENCE = "10 minutes"
"""For a cluster without workers, where Dask's own setting names no time."""

_LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application")
"""Of the engine, which prints what a build says in sentences of its own."""

Notify = Callable[[str], None]


class Connection(NamedTuple):
    """A client, and what was made for it, in the order in which it is closed; nothing that somebody else made."""

    client: Any
    owned: tuple[Any, ...]

    def close(self) -> None:
        """Close what was made, as far as it can still be reached."""
        for one in self.owned:
            with suppress(OSError):
                one.close()


def connected(scheduler: Any, workers: int | None, notify: Notify) -> Connection:
    """
    Return a connection to a cluster; see `saturi.etl.runtime.cluster.dask_executor`.

    Raises:
        OptionError: Dask is not installed, or what is given is no scheduler.
        ClusterError: The scheduler does not answer, or no cluster can be started here.
    """
    distributed = engine()
    if scheduler is None:
        return _local(distributed, checked_workers(workers))
    if not isinstance(scheduler, str):
        if scheduler.asynchronous:
            raise OptionError("make_executor", "the client is asynchronous", "give one with asynchronous=False")
        return Connection(scheduler, ())
    _refuse_no_certificate(distributed, scheduler)
    with reported_after(SILENT_SECONDS, partial(notify, f"{scheduler}: no scheduler answers yet; waiting for it")):
        try:
            client = distributed.Client(scheduler, set_as_default=False)
        except OSError as error:
            raise lost(scheduler) from error
        except ValueError as error:
            raise OptionError("--scheduler", f"{scheduler}: {error}", "give an address as tcp://host:8786") from error
    return Connection(client, (client,))


def _refuse_no_certificate(distributed: ModuleType, address: str) -> None:
    """Return if there is a certificate for *address*, where it needs one: a client without would hang in its own end."""
    if not address.startswith("tls://"):
        return
    advice = "set distributed.comm.tls in the configuration of Dask"
    try:
        certified = distributed.Security().get_connection_args("client").get("ssl_context") is not None
    except (OSError, ValueError) as error:
        raise OptionError("--scheduler", f"the certificates for tls:// cannot be read ({error})", advice) from error
    if not certified:
        raise OptionError("--scheduler", "tls:// needs certificates, and none are set", advice)


def _local(distributed: ModuleType, workers: int) -> Connection:
    """Return a connection to a new cluster on loopback; there a task is given up with the first worker that it kills."""
    with interrupts_deferred():
        try:
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=None,  # as of processes; the engine's is its share of the machine, and ends a worker
                silence_logs=logging.CRITICAL,
                config={"distributed.worker.profile.enabled": False},  # a tenth of the time, and nobody looks at it
                scheduler_kwargs={"allowed_failures": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"},
            )
            client = distributed.Client(cluster, set_as_default=False)
        except (OSError, RuntimeError) as error:
            problem = f"it cannot start ({type(error).__name__}: {error})"
            raise ClusterError(
                "a cluster on this machine", problem, "free some memory, or give fewer --workers"
            ) from error
    return Connection(client, (client, cluster))


def engine() -> ModuleType:
    """Return Dask's `distributed`; where this is the first to load it, without its log, unless that is configured."""
    try:
        import dask  # noqa: PLC0415 - an extra, and 0.7 s that builds with processes do not wait for

        if "distributed" not in sys.modules and dask.config.get("distributed.logging", None) is None:
            dask.config.set({"distributed.logging": dict.fromkeys(_LOGGERS, "critical")})
        import distributed  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        problem = f"dask needs the package {error.name}"
        raise OptionError("--executor", problem, "run `pip install 'saturi[dask]'`") from error
    return distributed  # type: ignore[no-any-return]  # has no types


def patience_seconds() -> float:
    """Return the time for which a cluster may be without workers, by Dask's settings."""
    import dask  # noqa: PLC0415 - as above

    named = dask.config.get("distributed.scheduler.no-workers-timeout", None)
    return float(dask.utils.parse_timedelta(named or _PATIENCE))


def lost(address: str) -> ClusterError:
    """Return the error for a scheduler that is not there."""
    return ClusterError(
        address, "the scheduler does not answer", "look whether it runs there, and run the same command again"
    )
