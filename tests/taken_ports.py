"""Ports of this machine for servers that a test starts."""

import socket


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
