"""Whether somebody listens on a port of loopback, for tests that wait for a server of their own."""

import socket


def answers(port):
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
