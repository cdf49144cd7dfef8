"""The users of a workspace, and the personal tokens that they sign in with."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from .credentials import fingerprint

# Who owns the workspace's own token, and its login and password.
USER = "someone@localhost"
_LOWEST_ID, _HIGHEST_ID = 10**15, 10**16


@dataclass(frozen=True)
class User:
    """Someone who can sign in.

    Attributes:
        name: the user name; of a service principal its client id.
        user_id: the id.
        is_service_principal: False for a person.
    """

    name: str
    user_id: int
    is_service_principal: bool = False


class Users:
    """The users of one workspace. Changed and asked from any thread."""

    def __init__(self) -> None:
        self._by_name: dict[str, User] = {}
        self._by_token: dict[bytes, User] = {}

    def add(self, name: str, *, is_service_principal: bool = False) -> User:
        """Return the user of this name, who is new unless the name is known."""
        new = User(name, _LOWEST_ID + secrets.randbelow(_HIGHEST_ID - _LOWEST_ID), is_service_principal)
        return self._by_name.setdefault(name, new)

    def add_token(self, name: str, token: str | None = None) -> str:
        """Make one more token for a user and return it.

        Args:
            name: the user's name; the user is made if it is new.
            token: the token; a random one when None or empty.

        Raises:
            ValueError: the token is another user's.
        """
        token = token or f"dapi{secrets.token_hex(16)}"
        user = self.add(name)
        if self._by_token.setdefault(fingerprint(token), user) != user:
            raise ValueError(f"The token for {name} is the token of another user")
        return token

    def remove_token(self, token: str) -> None:
        """Remove a token from its user; do nothing when it has no user."""
        self._by_token.pop(fingerprint(token), None)

    def remove(self, name: str) -> None:
        """Remove a user and all tokens of the user; do nothing when there is none of this name."""
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
        """Return the user who owns a personal token; None when nobody does."""
        return self._by_token.get(fingerprint(token))
