"""The service principals of a workspace, and their secrets."""

from __future__ import annotations

import secrets
import threading

from .credentials import same

# As on Databricks.
MAX_SECRETS = 5


class ServicePrincipals:
    """The service principals of one workspace, each with up to five secrets. Safe to use in any thread."""

    def __init__(self) -> None:
        self._secrets: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def add_secret(self, client_id: str, client_secret: str | None = None, *, keep_old: bool = True) -> str:
        """Add a secret for a service principal, and the service principal if new, and return the secret.

        Args:
            client_id: The service principal.
            client_secret: The secret; None or empty = a random secret.
            keep_old: Whether its other secrets stay valid.

        Raises:
            ValueError: The service principal would have more than five secrets.
        """
        new = client_secret or f"dose{secrets.token_hex(16)}"
        with self._lock:
            old = tuple(each for each in self._secrets.get(client_id, ()) if each != new) if keep_old else ()
            if len(old) >= MAX_SECRETS:
                raise ValueError(f"The service principal {client_id} has {MAX_SECRETS} secrets: revoke one first")
            self._secrets[client_id] = (*old, new)
        return new

    def remove_secret(self, client_id: str, client_secret: str) -> None:
        """Remove a secret of a service principal, if it has the secret."""
        with self._lock:
            if client_id in self._secrets:
                self._secrets[client_id] = tuple(each for each in self._secrets[client_id] if each != client_secret)

    def remove(self, client_id: str) -> None:
        """Remove a service principal, if it exists."""
        with self._lock:
            self._secrets.pop(client_id, None)

    def exists(self, client_id: str) -> bool:
        """Return whether there is a service principal with this client id."""
        return client_id in self._secrets

    def knows(self, client_id: str, client_secret: str) -> bool:
        """Return whether this is the client id of a service principal and one of its secrets."""
        with self._lock:
            pairs = [(each, secret) for each, held in self._secrets.items() for secret in held]
        # All pairs are always compared, so that the time does not reveal which part was wrong.
        return sum(same(client_id, each) & same(client_secret, secret) for each, secret in pairs) > 0
