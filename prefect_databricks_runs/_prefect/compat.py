"""Every line that differs between Prefect 2 and 3, or between pydantic 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, cast, get_args, get_origin
from uuid import UUID

import prefect
import prefect.runtime
from prefect.blocks.core import Block
from prefect.context import ContextModel, FlowRunContext, TaskRunContext
from prefect.settings import PREFECT_UI_URL
from typing_extensions import Self

from ..errors import DatabricksError, InvalidCredentials
from . import portal
from .empty_fields import EMPTY_IS_NONE
from .references import reference_to, saved_block
from .urls import without_sign_in

if TYPE_CHECKING:
    from prefect import State
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import BlockDocument

C = TypeVar("C", bound=ContextModel)

PREFECT_3 = not prefect.__version__.startswith("2.")

# Prefect 2 stores progress artifacts, but its UI calls them unknown, and shows a bare number.
SHOWS_PROGRESS = PREFECT_3

# Under Prefect 2 a block is a pydantic 1 model even if pydantic 2 is installed, so this asks the block.
if TYPE_CHECKING or not any(base.__module__.startswith("pydantic.v1") for base in Block.__mro__):
    from pydantic import BaseModel, Field, SecretStr, ValidationError
else:
    from pydantic.v1 import BaseModel, Field, SecretStr, ValidationError

# Form fields that may be empty. When Prefect 2 loads a block, an empty secret becomes None. In the form of Prefect 3,
# `Optional` would create a pair of tabs.
if TYPE_CHECKING:
    EmptyText: TypeAlias = str
    EmptySecret: TypeAlias = SecretStr
elif PREFECT_3:
    from pydantic import BeforeValidator

    _none_as_empty = BeforeValidator(lambda value: "" if value is None else value)
    EmptyText, EmptySecret = Annotated[str, _none_as_empty], Annotated[SecretStr, _none_as_empty]
else:
    EmptyText, EmptySecret = str | None, SecretStr | None

# The default of a required block field. On Prefect 2 no field may be `required` in the schema: the form of a deployment
# sends a chosen block as a reference, and Prefect 2 then reports every required field as missing.
REQUIRED_TEXT: Any = ... if PREFECT_3 else ""
REQUIRED_MODEL: Any = ... if PREFECT_3 else None

__all__ = [
    "EMPTY_IS_NONE",
    "PREFECT_3",
    "REQUIRED_MODEL",
    "REQUIRED_TEXT",
    "SHOWS_PROGRESS",
    "BaseModel",
    "BlockOfEitherPydantic",
    "EmptySecret",
    "EmptyText",
    "Field",
    "SecretStr",
    "ValidBlock",
    "ValidationError",
    "block_reference",
    "deployment_url",
    "field_names",
    "fields_of",
    "flow_run_id",
    "flow_run_url",
    "parameter_annotation",
    "run_contexts",
    "state_exception",
    "update_artifact",
    "what_is_wrong",
]


def flow_run_id() -> str | None:
    """Return the id of the current flow run, or None; Prefect 2 raises in a task outside of a flow."""
    try:
        return cast("str | None", prefect.runtime.flow_run.id)
    except AttributeError:
        return None


def run_contexts() -> tuple[list[FlowRunContext], list[TaskRunContext]]:
    """Return the current flow runs and task runs of this process, the outermost first.

    Prefect itself knows only the innermost one; the one around it is the previous value of its context variable. On
    Prefect 3, a task that was sent to another process brings a copy of its flow run's context, which is left out. On
    Prefect 2, it brings none.
    """
    flows = [each for each in _around(FlowRunContext) if each.flow_run and not getattr(each, "detached", False)]
    return flows, list(_around(TaskRunContext))


def _around(kind: type[C]) -> Iterator[C]:
    found: list[C] = []
    context: Any = kind.get()
    while isinstance(context, kind):
        found.append(context)
        token = context._token  # an attribute of Prefect's context models, on both lines
        context = token.old_value if token else None
    return reversed(found)


def flow_run_url(flow_run_id: UUID) -> str:
    """Return the public URL of a flow run's page in the Prefect UI; empty if it is not known."""
    return _ui_page(f"{'runs' if PREFECT_3 else 'flow-runs'}/flow-run/{flow_run_id}")


def deployment_url(deployment_id: UUID) -> str:
    """Return the public URL of a deployment's page in the Prefect UI; empty if it is not known."""
    return _ui_page(f"deployments/deployment/{deployment_id}")


def block_reference(document_id: UUID | None) -> dict[str, Any]:
    """Return how a form refers to a saved block. Prefect 2 shows the chosen block only if `$ref` is its bare id."""
    return {"$ref": {"block_document_id": str(document_id)} if PREFECT_3 else str(document_id)}


def _ui_page(path: str) -> str:
    url = PREFECT_UI_URL.value()
    return f"{without_sign_in(url).rstrip('/')}/{path}" if url else ""  # Prefect derives it from the API's URL


def field_names(kind: type[Block]) -> frozenset[str]:
    """Return the names of a block's fields, and the name that Prefect adds when it sends a block as data."""
    fields: Any = kind.model_fields if PREFECT_3 else vars(kind)["__fields__"]
    return frozenset(fields) | {"block_type_slug"}


def fields_of(model: type[BaseModel]) -> dict[str, bool]:
    """Return the names of a model's fields, and whether each is required."""
    if PREFECT_3:
        return {name: each.is_required() for name, each in model.model_fields.items()}
    fields: Any = vars(model)["__fields__"]
    return {name: bool(each.required) for name, each in fields.items()}


def what_is_wrong(error: ValidationError) -> str:
    """Return pydantic's message for each field, without the values."""
    return "; ".join(f"`{'.'.join(map(str, each['loc']))}`: {each['msg']}" for each in error.errors())


class ValidBlock:
    """A block during the validation of a flow's parameters on Prefect 2.

    Before 2.20.10 Prefect uses pydantic 1 for all parameters as soon as one value is a block, and pydantic 1 refuses a
    parameter called `json`.
    """

    def __init__(self, block: Block) -> None:
        self.block = block


class BlockOfEitherPydantic:
    """The methods that make a block a valid flow parameter on both lines.

    On Prefect 2 the block is a model of pydantic 1, while flows whose annotations are strings are validated by pydantic
    2. The reference `{"$ref": …}` that the form of a deployment sends for a saved block is not resolved there.
    """

    if PREFECT_3 and not TYPE_CHECKING:
        model_config = {"hide_input_in_errors": True}  # pydantic's messages would show the token
    if not PREFECT_3:

        @classmethod
        def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
            from pydantic_core import core_schema

            return core_schema.no_info_plain_validator_function(cls.validate)

        @classmethod
        def validate(cls, value: Any) -> Any:
            if isinstance(value, ValidBlock):
                return value.block
            if not isinstance(value, (dict, cls)):
                # A `ValueError`: Prefect adds the parameter's name to it, and a union tries its other types after it.
                raise ValueError(
                    f"must be a {cls.__name__} block, not {type(value).__name__}. Pass the result of"
                    f" {cls.__name__}.load(…), or from a deployment the reference {_reference_to(cls)}."
                )
            if isinstance(value, dict) and "$ref" in value:
                return cls.of_reference(value["$ref"])
            return super().validate(value)  # type: ignore[misc]  # the block's method

    @staticmethod
    def fault_of(text: str) -> DatabricksError:
        """Make the error for a reference that does not name such a block."""
        return InvalidCredentials(text)

    @classmethod
    def of_reference(cls, reference: Any) -> Self:
        """Load the saved block that a deployment's parameter refers to.

        Args:
            reference: The value of `$ref`: the id of the block document, as the forms of Prefect send it, or
                `{"block_document_id": id}` or `{"block_document_slug": "block-type-slug/name"}`.

        Raises:
            DatabricksError: The saved block does not exist, or has another type; made by `fault_of`.
        """
        document = portal.call(saved_block, reference, _slug_of(cls), cls.fault_of)
        block, fault = _block_of(cls, document)
        del document  # an exception may be shown with the variables here, and this one holds the secrets
        if fault:
            raise fault
        return cast("Self", block)


def _block_of(cls: Any, document: BlockDocument) -> tuple[Any, Exception | None]:
    """Return the block of a document, or the fault of the document."""
    slug = document.block_type.slug if document.block_type else ""
    kind: Any = next((each for each in _kinds_of(cls) if each.get_block_type_slug() == slug), None)
    if kind is None:
        is_a = document.block_type.name if document.block_type else "of an unknown type"
        return None, cls.fault_of(
            f"The block {document.name!r} is not a {cls.__name__} block, but {is_a}."
            f" Choose a {cls.__name__} block, or refer to one by {_reference_to(cls)}."
        )
    try:
        block = kind(**document.data)
    except DatabricksError as error:
        return None, error.with_traceback(None)
    except ValueError as error:  # from pydantic, for a subclass; it contains the values of the block
        return None, cls.fault_of(
            f"The saved block {document.name!r} is not a valid {kind.__name__} block"
            f" ({type(error).__name__}). Save it again."
        )
    block._block_document_id, block._block_document_name = document.id, document.name
    block._define_metadata_on_nested_blocks(document.block_document_references)  # as `Block.load` does
    return block, None


def _slug_of(cls: Any) -> str:
    return str(cls.get_block_type_slug())


def _reference_to(cls: Any) -> str:
    return reference_to(_slug_of(cls))


def _kinds_of(cls: Any) -> Iterator[Any]:
    """Return a block class, then all its subclasses: one without its own slug has the slug of its parent."""
    yield cls
    for each in cls.__subclasses__():
        yield from _kinds_of(each)


def parameter_annotation(annotation: Any) -> Any:
    """Return the annotation for a flow's parameter.

    Prefect 2 validates all parameters of a flow with pydantic 1 as soon as one is a block, and pydantic 1 refuses a
    parameter called `json`. It does not look into `Annotated` when it validates, but does when it creates the form.

    Prefect 3 shows `X | None` as a pair of tabs, one of which is empty. Here None means "not given", as an empty field
    does.
    """
    if PREFECT_3:
        return Annotated[annotation, EMPTY_IS_NONE] if type(None) in get_args(annotation) else annotation
    return Annotated[annotation, "a block"] if is_class_of(annotation, Block) else annotation


def is_class_of(annotation: Any, base: type[Any]) -> bool:
    """Return whether an annotation is a class that derives from another; for Python 3.10, `list[int]` is a type too."""
    return get_origin(annotation) is None and isinstance(annotation, type) and issubclass(annotation, base)


async def state_exception(state: State[Any]) -> BaseException | None:
    """Return the exception behind a failed state, or None. On Prefect 2, it is in a result."""
    data: Any = state.data
    if not PREFECT_3 and hasattr(data, "get"):
        data = await data.get()
    return data if isinstance(data, BaseException) else None


def say_json(client: PrefectClient) -> None:
    """Let all requests of Prefect's client say that they are JSON.

    Prefect 3 before 3.6.19 does not say so of a new task run, and a server with fastapi 0.132 or later then refuses it.
    """
    client._client.headers["Content-Type"] = "application/json"


async def update_artifact(client: PrefectClient, artifact_id: UUID, data: str | float | None) -> None:
    """Put new data into an artifact.

    Prefect 2's client has no method for it, but its server has the route. For an artifact that is no longer the newest
    of its key, that route answers 404 after it has done the work.
    """
    if PREFECT_3:
        from prefect.client.schemas.actions import ArtifactUpdate

        await client.update_artifact(artifact_id, ArtifactUpdate(data=data))
        return
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        await client._client.patch(f"/artifacts/{artifact_id}", json={"data": data})
    except PrefectHTTPStatusError as error:
        if error.response.status_code != 404:  # noqa: PLR2004
            raise
