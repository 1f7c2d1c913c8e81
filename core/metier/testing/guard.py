"""What a plugin opens: `Guard` notes sockets and pickles that name code while it is watched.

It sees what is done in Python. Of the sockets of C libraries, `connections` finds those that are still open.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psutil

_SOCKET_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKUP_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


class Guard:
    """What was opened while somebody watched.

    `sockets`: addresses and names. `pickles`: the globals that an unpickler was asked for: to look one up is how a
    pickle runs code. torch's restricted unpickler (`weights_only=True`) looks up none.
    """

    def __init__(self) -> None:
        self.sockets: list[str] = []
        self.pickles: list[str] = []
        self._watching = 0
        # No plugin can take an audit hook out; it stays for the life of the process.
        sys.addaudithook(self._note)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note what is opened while the block runs, in whatever thread."""
        self._watching += 1
        try:
            yield
        finally:
            self._watching -= 1

    def forget(self) -> Guard:
        """Begin anew, and return the guard."""
        self.sockets, self.pickles = [], []
        return self

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event in _LOOKUP_EVENTS:
            self.sockets.append(str(arguments[0]))
        elif event in _SOCKET_EVENTS and isinstance(arguments[-1], tuple):  # a text is the path of a local socket
            self.sockets.append(":".join(map(str, arguments[-1][:2])))
        elif event == "pickle.find_class":
            self.pickles.append(".".join(map(str, arguments)))


def connections() -> frozenset[str]:
    """Return the addresses that sockets of this process are connected to, whoever opened them."""
    try:
        return frozenset(":".join(map(str, one.raddr)) for one in psutil.Process().net_connections()) - {""}
    except psutil.Error:  # some systems do not let a process ask
        return frozenset()


def the_guard() -> Guard:
    """Return the guard of this process, begun anew: it looks at one model after another."""
    return _made().forget()


_made = cache(Guard)
