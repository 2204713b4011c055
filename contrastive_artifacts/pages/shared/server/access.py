"""Who may use a server: its address, its token, and ids that stand for paths."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import HTTPException


@dataclass(frozen=True)
class Access:
    """Address on which a server listens, and the token that it requires ("" on the loopback)."""

    host: str
    token: str = ""

    @classmethod
    def to(cls, host: str) -> Access:
        """No token for a loopback address, a new random one for any other."""
        return cls(host, "" if is_loopback(host) else secrets.token_urlsafe(24))


def is_loopback(host: str) -> bool:
    """Whether a host name or address is the loopback of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def equal(given: str, token: str) -> bool:
    """Compares in a time that does not depend on where the texts differ."""
    return secrets.compare_digest(given.encode(), token.encode())


class OpaqueIds:
    """Ids that stand for paths in requests and answers, so that clients neither see nor send paths.

    Ids are keyed with a random key per process, so that they cannot be guessed; an unknown id is a 404.
    """

    def __init__(self, names: Iterable[str]) -> None:
        key = secrets.token_bytes(16)
        self._ids = {name: hashlib.blake2b(name.encode(), digest_size=12, key=key).hexdigest() for name in names}
        self._names = {opaque: name for name, opaque in self._ids.items()}

    def of(self, name: str) -> str:
        """The id of a name."""
        return self._ids[name]

    def name(self, opaque: str) -> str:
        """The name of an id.

        Raises:
            HTTPException: 404 for an unknown id.
        """
        if opaque not in self._names:
            raise HTTPException(404, "There is nothing with this id; load the page again.")
        return self._names[opaque]
