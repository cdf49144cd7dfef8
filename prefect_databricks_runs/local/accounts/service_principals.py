"""The service principals of a workspace, and the secrets that they get tokens for."""

from __future__ import annotations

import secrets
import threading

from .credentials import same

# As on Databricks.
MAX_SECRETS = 5


class ServicePrincipals:
    """The service principals of one workspace, each with up to five secrets. Changed and asked from any thread."""

    def __init__(self) -> None:
        self._secrets: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def add_secret(self, client_id: str, client_secret: str | None = None, *, keep_old: bool = True) -> str:
        """Make a secret for a service principal, which is made if it is new, and return the secret.

        Args:
            client_id: the service principal.
            client_secret: the secret; a random one when None or empty.
            keep_old: whether its other secrets stay valid.

        Raises:
            ValueError: it would have more than five secrets.
        """
        new = client_secret or f"dose{secrets.token_hex(16)}"
        with self._lock:
            old = tuple(each for each in self._secrets.get(client_id, ()) if each != new) if keep_old else ()
            if len(old) >= MAX_SECRETS:
                raise ValueError(f"The service principal {client_id} has {MAX_SECRETS} secrets: revoke one first")
            self._secrets[client_id] = (*old, new)
        return new

    def remove_secret(self, client_id: str, client_secret: str) -> None:
        """Remove a secret; do nothing when the service principal does not have it."""
        with self._lock:
            if client_id in self._secrets:
                self._secrets[client_id] = tuple(each for each in self._secrets[client_id] if each != client_secret)

    def remove(self, client_id: str) -> None:
        """Remove a service principal; do nothing when there is none."""
        with self._lock:
            self._secrets.pop(client_id, None)

    def exists(self, client_id: str) -> bool:
        """Return whether there is a service principal with this client id."""
        return client_id in self._secrets

    def knows(self, client_id: str, client_secret: str) -> bool:
        """Return whether this is a service principal with one of its secrets."""
        with self._lock:
            pairs = [(each, secret) for each, held in self._secrets.items() for secret in held]
        # All are compared in any case: the time does not tell which one was wrong.
        return sum(same(client_id, each) & same(client_secret, secret) for each, secret in pairs) > 0
