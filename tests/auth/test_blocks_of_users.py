"""Blocks that derive from ours, and blocks that are copied or changed: they sign in as they say."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.auth import PersonalToken, TokenAuth
from prefect_databricks_runs.auth._databricks import ServicePrincipalAuth

HOST = "https://adb-1.2.azuredatabricks.net"


class OfAVault(DatabricksCredentials):
    """Signs in with what a vault has."""

    _block_type_name = "Of a vault"
    _block_type_slug = "of-a-vault"

    vault: str = "kv"

    def get_auth(self) -> TokenAuth:
        return TokenAuth(f"of-{self.vault}")


class WithAFieldOfOurName(DatabricksCredentials):
    """Has a field that is one of ours too."""

    _block_type_name = "With a field of our name"
    _block_type_slug = "with-a-field-of-our-name"

    client_id: str = "nobody"


def test_a_class_that_signs_in_by_itself_needs_no_way_of_ours() -> None:
    assert OfAVault(host=f"{HOST}/?o=1", vault="main").get_auth() == TokenAuth("of-main")
    assert OfAVault(host=HOST, token="dapi").get_auth() == TokenAuth("of-kv")
    with pytest.raises(InvalidCredentials, match="no `host`"):
        OfAVault(vault="main")


def test_a_field_of_a_class_of_a_user_is_its_own() -> None:
    block = WithAFieldOfOurName(host=HOST, token="dapi", client_id="ada")
    assert (block.client_id, block.get_auth()) == ("ada", TokenAuth("dapi"))
    block.client_id = "bob"
    assert (block.client_id, block.get_auth()) == ("bob", TokenAuth("dapi"))


def test_a_copy_with_another_token_signs_in_with_it() -> None:
    block: Any = DatabricksCredentials(host=HOST, token="old")
    copy = block.model_copy if PREFECT_3 else block.copy
    assert copy(update={"token": "new"}).get_auth() == TokenAuth("new")
    principal = copy(update={"client_id": "id", "client_secret": "dose-1", "requests_per_second": 3})
    assert (principal.get_auth(), principal.requests_per_second) == (ServicePrincipalAuth(HOST, "id", "dose-1"), 3)
    assert copy() == block
    assert block.get_auth() == TokenAuth("old")


def test_a_way_to_sign_in_that_is_set_later_is_checked() -> None:
    block: Any = DatabricksCredentials(host=HOST, token="old")
    block.sign_in = {"client_id": "id", "client_secret": "dose-1"}
    assert block.get_auth() == ServicePrincipalAuth(HOST, "id", "dose-1")
    block.sign_in = PersonalToken(token="new")
    assert block.get_auth() == TokenAuth("new")
    for wrong in (5, None, {"client_id": "id"}):
        with pytest.raises(InvalidCredentials):
            block.sign_in = wrong
    assert block.get_auth() == TokenAuth("new")


def test_what_is_no_field_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="tokne"):
        _ = DatabricksCredentials(host=HOST, token="t").tokne
