"""A Redis server of one test's own: append-only file, no eviction, as the product is deployed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.peers.presence import program, require
from tests.peers.process import Server, free_port


class Redis:
    """Redis on a free loopback port; ``kill`` then ``start`` brings the same data back on the same port."""

    def __init__(self, folder: Path) -> None:
        """folder: an empty directory for the append-only file and the log."""
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.server = Server(
            [
                *(program("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", folder),
                *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
                *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
            ],
            folder / "redis.log",
        )

    def start(self) -> None:
        """Start, or start again after a kill, with the data of the append-only file."""
        self.server.start(self._answers)

    def _answers(self) -> bool:
        """It listens before it has read its file; until then every command is refused."""
        client = redis.Redis.from_url(self.url, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def kill(self) -> None:
        """End it as a crash would."""
        self.server.kill()

    def stop(self) -> None:
        """Shut it down in order."""
        self.server.stop()


@contextmanager
def running_redis(folder: Path) -> Iterator[Redis]:
    """A started Redis with its files in ``folder``; stopped at the end."""
    require("redis")
    folder.mkdir(parents=True, exist_ok=True)
    redis = Redis(folder)
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    """The test's own Redis, as an object that can be killed and started again."""
    with running_redis(tmp_path / "redis") as redis:
        yield redis


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """``redis://`` URL of the test's own Redis."""
    return redis_server.url
