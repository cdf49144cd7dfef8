"""Functions whose many keyword parameters are written once, in a `TypedDict`.

`submit_run`, `submit_run_and_wait` and their async twins take each field of the endpoint as a parameter of its own.
Type checkers read `**parameters: Unpack[SubmitRunFields]`; Prefect, which makes forms, validators and task inputs from
signatures, and `help()` are shown the parameters one by one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from ..errors import InvalidOption
from .compat import parameter_annotation

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Default:
    """The default of a `TypedDict` field: `Annotated[float, Default(30.0)]`. Without one it is None."""

    value: Any


class CalledSignature(inspect.Signature):
    """A signature that says what is wrong with a call in a sentence.

    Prefect binds each call to `inspect.signature(function)`, and makes of a `TypeError` an error that shows the whole
    signature, which is 2 kB here. Other errors it lets through.
    """

    called = "this call"

    def bind(self, /, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        """Bind arguments as `inspect.Signature.bind` does.

        Raises:
            InvalidOption: The call has a parameter that there is not, or lacks one.
        """
        try:
            return super().bind(*args, **kwargs)
        except TypeError as error:
            unknown = [name for name in kwargs if name not in self.parameters]
            faults = [self._unknown(name) for name in unknown] or [f"{self.called} cannot be called so: {error}."]
        raise InvalidOption(faults)

    def _unknown(self, name: str) -> str:
        close = get_close_matches(name, self.parameters, n=1)
        if close:
            advice = f"Did you mean `{close[0]}`?"
        elif "json" in self.parameters:
            advice = "A field of the request that has no parameter goes into `json`."
        else:
            advice = f"They are {', '.join(self.parameters)}."
        return f"`{name}` is no parameter of {self.called}. {advice}"


def named_parameters(function: F) -> F:
    """Show the fields of `**parameters: Unpack[SomeTypedDict]` as keyword-only parameters with their defaults.

    Prefect always calls with every parameter, so `function` gets all of them, defaults included; a plain call of
    `function` itself gets only what it is given.
    """
    signature = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    *named, last = signature.parameters.values()
    (fields,) = get_args(hints.get(last.name)) or (None,)
    if last.kind is not inspect.Parameter.VAR_KEYWORD or not is_typeddict(fields):
        raise TypeError(f"{function.__qualname__} does not end with **{last.name}: Unpack[SomeTypedDict]")
    named = [each.replace(annotation=parameter_annotation(hints.get(each.name, Any))) for each in named]
    expanded = [*named, *_parameters(fields)]
    returns = hints.get("return", Any)
    called = CalledSignature(expanded, return_annotation=returns)
    called.called = function.__name__
    function.__signature__ = called  # type: ignore[attr-defined]  # read by `inspect.signature`
    function.__annotations__ = {**{each.name: each.annotation for each in expanded}, "return": returns}
    return function


@cache  # to resolve the hints takes some 40 µs
def defaults_of(fields: type) -> dict[str, Any]:
    """Return the default of each field, as `named_parameters` shows it.

    Args:
        fields: The `TypedDict`.
    """
    hints = get_type_hints(fields, include_extras=True)
    return {name: _default_in(hint) for name, hint in hints.items()}


def _parameters(fields: type) -> list[inspect.Parameter]:
    plain, defaults = get_type_hints(fields), defaults_of(fields)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, default=defaults[name], annotation=plain[name]) for name in plain]


def _default_in(hint: Any) -> Any:
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((extra.value for extra in extras if isinstance(extra, Default)), None)
