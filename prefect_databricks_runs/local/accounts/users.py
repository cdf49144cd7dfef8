"""The users of a workspace, and their personal tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from .credentials import fingerprint

# The owner of the workspace's own token, and of its login and password.
USER = "someone@localhost"
_LOWEST_ID, _HIGHEST_ID = 10**15, 10**16


@dataclass(frozen=True)
class User:
    """Someone who can sign in.

    Attributes:
        name: The user name, or the client id of a service principal.
        user_id: The user's id.
        is_service_principal: False for a person.
    """

    name: str
    user_id: int
    is_service_principal: bool = False

    @property
    def principal(self) -> tuple[str, str]:
        """The field that names the user in a permission, and the user's name."""
        return ("service_principal_name" if self.is_service_principal else "user_name"), self.name


class Users:
    """The users of one workspace. Safe to use in any thread."""

    def __init__(self) -> None:
        self._by_name: dict[str, User] = {}
        self._by_token: dict[bytes, User] = {}

    def add(self, name: str, *, is_service_principal: bool = False) -> User:
        """Return the user of this name, and add the user if new."""
        new = User(name, _LOWEST_ID + secrets.randbelow(_HIGHEST_ID - _LOWEST_ID), is_service_principal)
        return self._by_name.setdefault(name, new)

    def add_token(self, name: str, token: str | None = None) -> str:
        """Add a token for a user, and the user if new, and return the token.

        Args:
            name: The user's name.
            token: The token; None or empty = a random token.

        Raises:
            ValueError: The token is another user's.
        """
        token = token or f"dapi{secrets.token_hex(16)}"
        user = self.add(name)
        if self._by_token.setdefault(fingerprint(token), user) != user:
            raise ValueError(f"The token for {name} is the token of another user")
        return token

    def remove_token(self, token: str) -> None:
        """Remove a token from its user, if it has one."""
        self._by_token.pop(fingerprint(token), None)

    def remove(self, name: str) -> None:
        """Remove a user, if there is one of this name, with all tokens of the user."""
        user = self._by_name.pop(name, None)
        for key, owner in list(self._by_token.items()):
            if owner == user:
                self._by_token.pop(key, None)

    def exists(self, name: str) -> bool:
        """Return whether there is a user of this name."""
        return name in self._by_name

    def named(self, name: str) -> User:
        """Return the user of this name, who must exist."""
        return self._by_name[name]

    def of_token(self, token: str) -> User | None:
        """Return the owner of a personal token; None without one."""
        return self._by_token.get(fingerprint(token))
