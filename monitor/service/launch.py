"""`sidelight run` until everything is known to be right; then it becomes the supervisor.

Everything that can be wrong with a start (a port in use, a reference of another version, a data
directory that cannot be written) is found here, said in one line, and costs no process.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import socket
import stat
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monitor.config import Address, Config, reveal
from monitor.errors import ConfigError
from monitor.service.checks import check
from monitor.service.plan import Plan, Process
from monitor.service.tls import listener_tls, upstream_tls

BACKLOG = 1024
LONGEST_SOCKET_PATH = 100  # sun_path holds 108 bytes on Linux
MONITOR_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # its arrays are small, and a thread for each core costs memory
    "MALLOC_ARENA_MAX": "2",  # by default eight a core, and none gives back what another has freed
}


def launch(config: Config, config_path: Path | None, flags: dict[str, Any]) -> None:
    """Check, bind, and replace this process by the supervisor; returns only by raising."""
    check(config)
    _claim(config.data_dir)
    data = [_listen("listen", config.listen, shared=config.workers > 1)]
    port = data[0].getsockname()[1]
    data += [
        _listen("listen", Address(host=config.listen.host, port=port), shared=True)
        for _ in range(config.workers - 1)
    ]
    control = _listen("control", config.control, shared=False)
    tap_path = _tap_path(config.data_dir)
    tap = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    tap.bind(str(tap_path))
    tap_path.chmod(0o600)
    tap.listen(64)
    plan = Plan(
        monitor=Process(
            "monitor",
            "monitor.service.start",
            {
                "config": reveal(config),
                "config_path": str(config_path.resolve()) if config_path else None,
                "flags": flags,
                "control_fd": control.fileno(),
                "tap_fd": tap.fileno(),
            },
            (control.fileno(), tap.fileno()),
            MONITOR_ENVIRONMENT,
        ),
        relays=tuple(
            _relay(config, index, listener, tap_path) for index, listener in enumerate(data)
        ),
        drain_seconds=config.timeouts.drain,
    )
    _announce(config, data[0], control)
    _become_supervisor(plan)


def relay_document(config: Config, worker: int, listen_fd: int, tap_path: str) -> dict[str, Any]:
    """What one relay worker is told: its own part of the configuration, and nothing else."""
    host, port = config.upstream.host or "127.0.0.1", config.upstream.port or 80
    return {
        "worker": worker,
        "listen_fd": listen_fd,
        "tap_path": tap_path,
        "upstream_host": host.strip("[]"),
        "upstream_port": port,
        "upstream_authority": f"{host}:{port}",
        "paths": list(config.observe.paths),
        "sample": config.observe.sample,
        "max_body_bytes": config.observe.max_body_bytes,
        "queue_bytes": config.limits.queue_bytes // config.workers,
        "connections": max(1, config.limits.connections // config.workers),
        "timeouts": config.timeouts.model_dump(exclude={"store"}),
        "tls": asdict(listener_tls(config)),
        "upstream_tls": asdict(upstream_tls(config)),
    }


def _relay(config: Config, index: int, listener: socket.socket, tap_path: Path) -> Process:
    document = relay_document(config, index, listener.fileno(), str(tap_path))
    return Process(f"relay {index}", "monitor.relay", document, (listener.fileno(),))


def _claim(data_dir: Path) -> None:
    """Make the data directory, and hold a lock on it for as long as this process lives."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError([("data_dir", f"cannot write {data_dir}: {error.strerror}")]) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConfigError(
            [("data_dir", f"{data_dir} is in use by another running sidelight")]
        ) from None
    os.set_inheritable(lock, True)  # the supervisor keeps it over the exec


def _listen(key: str, address: Address, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        reason = "is already in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise ConfigError([(key, f"{address} {reason}")]) from None
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _tap_path(data_dir: Path) -> Path:
    path = data_dir.resolve() / "tap.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        path = _private_directory(data_dir) / "tap.sock"
    path.unlink(missing_ok=True)
    return path


def _private_directory(data_dir: Path) -> Path:
    """A short directory of this user's alone, the same one for a data directory at every start."""
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"sidelight-{os.geteuid()}-{name}"
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ConfigError([("data_dir", f"its path is long, and {path} is not this user's alone")])
    return path


def _announce(config: Config, data: socket.socket, control: socket.socket) -> None:
    data_port, control_port = data.getsockname()[1], control.getsockname()[1]
    if config.upstream_tls is not None and not config.upstream_tls.verify:
        print("sidelight: the model server's certificate is not verified", file=sys.stderr)  # noqa: T201
    host = "127.0.0.1" if config.control.host in {"0.0.0.0", "::"} else config.control.host  # noqa: S104 - compared only
    print(  # noqa: T201 - for the person who started it
        f"sidelight: model traffic on {config.listen.host}:{data_port} → {config.upstream}\n"
        f"sidelight: page, metrics and feedback on http://{host}:{control_port}/",
        flush=True,
    )


def _become_supervisor(plan: Plan) -> None:
    """Exec: what was imported to check the configuration is given back to the machine."""
    handed_over = os.memfd_create("plan")
    os.write(handed_over, plan.to_json().encode())
    os.lseek(handed_over, 0, os.SEEK_SET)
    inherited = {handed_over, *plan.monitor.descriptors}
    inherited.update(fd for relay in plan.relays for fd in relay.descriptors)
    for descriptor in inherited:
        os.set_inheritable(descriptor, True)
    arguments = [sys.executable, "-m", "monitor.service.supervisor", str(handed_over)]
    os.execv(sys.executable, arguments)  # noqa: S606 - no shell is wanted
