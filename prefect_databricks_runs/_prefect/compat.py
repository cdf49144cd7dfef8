"""Every line that differs between Prefect 2 and 3, or between pydantic 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, cast
from uuid import UUID

import prefect
import prefect.runtime
from prefect.blocks.core import Block
from prefect.context import ContextModel, FlowRunContext, TaskRunContext
from prefect.settings import PREFECT_UI_URL
from typing_extensions import Self

from ..errors import InvalidCredentials
from . import portal
from .references import A_REFERENCE, saved_block
from .urls import without_sign_in

if TYPE_CHECKING:
    from prefect import State
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import BlockDocument

C = TypeVar("C", bound=ContextModel)

PREFECT_3 = not prefect.__version__.startswith("2.")

# Prefect 2 keeps progress artifacts, but its UI calls them unknown, and shows a bare number.
SHOWS_PROGRESS = PREFECT_3

# Under Prefect 2 a block is a pydantic 1 model even where pydantic 2 is installed, so it is the block that is asked.
if TYPE_CHECKING or not any(base.__module__.startswith("pydantic.v1") for base in Block.__mro__):
    from pydantic import BaseModel, Field, SecretStr, ValidationError
else:
    from pydantic.v1 import BaseModel, Field, SecretStr, ValidationError

# Fields of a form that may be left empty. Prefect 2 gives an empty secret back as None when the block is loaded; in the
# form of Prefect 3, `Optional` would make a pair of tabs.
if TYPE_CHECKING:
    EmptyText: TypeAlias = str
    EmptySecret: TypeAlias = SecretStr
elif PREFECT_3:
    from pydantic import BeforeValidator

    _none_as_empty = BeforeValidator(lambda value: "" if value is None else value)
    EmptyText, EmptySecret = Annotated[str, _none_as_empty], Annotated[SecretStr, _none_as_empty]
else:
    EmptyText, EmptySecret = str | None, SecretStr | None

# The default of a block's field that must be filled in. On Prefect 2 no field may be `required` in the schema: the form
# of a deployment sends a chosen block as a reference, and Prefect 2 misses every required field in that.
REQUIRED_TEXT: Any = ... if PREFECT_3 else ""
REQUIRED_MODEL: Any = ... if PREFECT_3 else None

__all__ = [
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
    """Return the id of the flow run that this is called in, or None; Prefect 2 raises in a task outside of a flow."""
    try:
        return cast("str | None", prefect.runtime.flow_run.id)
    except AttributeError:
        return None


def run_contexts() -> tuple[list[FlowRunContext], list[TaskRunContext]]:
    """Return the flow runs and the task runs of this process that this is called in, the outermost first.

    Prefect itself tells only of the innermost; the one around it is what its context variable had before. A task that
    was sent to another process brings a copy of its flow run's context there on Prefect 3, which is left out, and
    none on Prefect 2.
    """
    flows = [each for each in _around(FlowRunContext) if each.flow_run and not getattr(each, "detached", False)]
    return flows, list(_around(TaskRunContext))


def _around(kind: type[C]) -> Iterator[C]:
    found: list[C] = []
    context: Any = kind.get()
    while isinstance(context, kind):
        found.append(context)
        token = context._token  # of Prefect's context models, on both lines
        context = token.old_value if token else None
    return reversed(found)


def flow_run_url(flow_run_id: UUID) -> str:
    """Return the page of a flow run in the Prefect UI, for everybody to see; empty where that is not known."""
    url = PREFECT_UI_URL.value()
    if not url:
        return ""
    ui = without_sign_in(url)  # Prefect makes it of the API's URL
    return f"{ui.rstrip('/')}/{'runs' if PREFECT_3 else 'flow-runs'}/flow-run/{flow_run_id}"


def field_names(kind: type[Block]) -> frozenset[str]:
    """Return the names of a block's fields, and that which Prefect itself adds when it sends a block as data."""
    fields: Any = kind.model_fields if PREFECT_3 else vars(kind)["__fields__"]
    return frozenset(fields) | {"block_type_slug"}


def fields_of(model: type[BaseModel]) -> dict[str, bool]:
    """Return the names of a model's fields, and whether each of them must be given."""
    if PREFECT_3:
        return {name: each.is_required() for name, each in model.model_fields.items()}
    fields: Any = vars(model)["__fields__"]
    return {name: bool(each.required) for name, each in fields.items()}


def what_is_wrong(error: ValidationError) -> str:
    """Return what pydantic says of each field, without what was given."""
    return "; ".join(f"`{'.'.join(map(str, each['loc']))}`: {each['msg']}" for each in error.errors())


class ValidBlock:
    """A block on its way through the validation of a flow's parameters on Prefect 2.

    Before 2.20.10 Prefect takes pydantic 1 for all parameters as soon as one of their values is a block, and pydantic 1
    refuses a parameter called `json`.
    """

    def __init__(self, block: Block) -> None:
        self.block = block


class BlockOfEitherPydantic:
    """What a block needs to be a flow's parameter on both lines.

    On Prefect 2 it is a model of pydantic 1, while flows whose annotations are strings are validated by pydantic 2, and
    nobody resolves the reference `{"$ref": …}` that the form of a deployment sends for a saved block.
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
                # A `ValueError`, to which Prefect adds the parameter's name, and after which a union tries its others.
                raise ValueError(
                    f"must be a DatabricksCredentials block, not {type(value).__name__}. Give what"
                    f" DatabricksCredentials.load(…) gives, and from a deployment the reference {A_REFERENCE}."
                )
            if isinstance(value, dict) and "$ref" in value:
                return cls.of_reference(value["$ref"])
            return super().validate(value)  # type: ignore[misc]  # the block's

    @classmethod
    def of_reference(cls, reference: Any) -> Self:
        """Load the saved block that a deployment's parameter refers to.

        Args:
            reference: What stands under `$ref`: the id of the block document, as the forms of Prefect send it, or
                `{"block_document_id": id}` or `{"block_document_slug": "block-type-slug/name"}`.

        Raises:
            InvalidCredentials: It names no saved block, or one of another type.
        """
        document = portal.call(saved_block, reference)
        block, fault = _block_of(cls, document)
        del document  # an exception may be shown with the variables here, and this one has the secrets
        if fault:
            raise fault
        return cast("Self", block)


def _block_of(cls: Any, document: BlockDocument) -> tuple[Any, Exception | None]:
    """Make a block of a document, or say what is wrong with that."""
    slug = document.block_type.slug if document.block_type else ""
    kind: Any = next((each for each in _kinds_of(cls) if each.get_block_type_slug() == slug), None)
    if kind is None:
        is_a = document.block_type.name if document.block_type else "of an unknown type"
        return None, InvalidCredentials(
            f"The block {document.name!r} is not a {cls.__name__} block, but {is_a}. Choose one, or"
            f" refer to one by {A_REFERENCE}."
        )
    try:
        block = kind(**document.data)
    except InvalidCredentials as error:
        return None, error.with_traceback(None)
    except ValueError as error:  # pydantic's, of a block that derives from ours; what is in the block stands in it
        return None, InvalidCredentials(
            f"The saved block {document.name!r} does not have what a {kind.__name__} block needs"
            f" ({type(error).__name__}). Save it again."
        )
    block._block_document_id, block._block_document_name = document.id, document.name
    return block, None


def _kinds_of(cls: Any) -> Iterator[Any]:
    """Return a kind of block, then all that derive from it: one without a slug of its own has that of its parent."""
    yield cls
    for each in cls.__subclasses__():
        yield from _kinds_of(each)


def parameter_annotation(annotation: Any) -> Any:
    """Return the annotation that a flow's parameter must have.

    Prefect 2 validates all parameters of a flow with pydantic 1 as soon as one is a block, and pydantic 1 refuses a
    parameter called `json`. It does not look into `Annotated` when it validates, but does when it makes the form.
    """
    if PREFECT_3 or not (isinstance(annotation, type) and issubclass(annotation, Block)):
        return annotation
    return Annotated[annotation, "a block"]


async def state_exception(state: State[Any]) -> BaseException | None:
    """Return what a failed state was made of, or None. On Prefect 2 a result has it."""
    data: Any = state.data
    if not PREFECT_3 and hasattr(data, "get"):
        data = await data.get()
    return data if isinstance(data, BaseException) else None


async def update_artifact(client: PrefectClient, artifact_id: UUID, data: str | float | None) -> None:
    """Put new data into an artifact.

    Prefect 2's client has no call for it, but its server has the route. There it answers 404, having done the work, for
    an artifact that is no longer the newest of its key.
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
