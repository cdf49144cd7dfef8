"""Functions whose many keyword parameters are defined once, in a `TypedDict`.

`submit_run`, `submit_run_and_wait` and their async twins have a parameter for each field of the endpoint. Type checkers
read `**parameters: Unpack[SubmitRunFields]`. Prefect, which derives forms, validators and task inputs from signatures,
and `help()` see the parameters one by one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, wraps
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin

from typing_extensions import get_original_bases, get_type_hints, is_typeddict

from ..errors import InvalidOption
from .compat import parameter_annotation
from .docstrings import field_docs, with_args

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Default:
    """The default of a `TypedDict` field: `Annotated[float, Default(30.0)]`. Without one it is None."""

    value: Any


class CalledSignature(inspect.Signature):
    """A signature that explains a wrong call in one sentence.

    Prefect binds each call to `inspect.signature(function)`. It turns a `TypeError` into an error that shows the whole
    signature, 2 kB here. It does not change other errors.
    """

    called = "this call"

    def bind(self, /, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        """Bind arguments as `inspect.Signature.bind` does.

        Raises:
            InvalidOption: The call has an unknown parameter, or lacks one.
        """
        try:
            return super().bind(*args, **kwargs)
        except TypeError as error:
            unknown = [name for name in kwargs if name not in self.parameters]
            faults = [self._unknown(name) for name in unknown] or [
                f"{self.called} cannot be called like this: {error}."
            ]
        raise InvalidOption(faults)

    def _unknown(self, name: str) -> str:
        close = get_close_matches(name, self.parameters, n=1)
        if close:
            advice = f"Did you mean `{close[0]}`?"
        elif "json" in self.parameters:
            advice = "Pass a field of the request that has no parameter in `json`."
        else:
            advice = f"The parameters are {', '.join(self.parameters)}."
        return f"`{name}` is not a parameter of {self.called}. {advice}"


def named_parameters(function: F) -> F:
    """Show the fields of `**parameters: Unpack[SomeTypedDict]` as keyword-only parameters with their defaults.

    Their docstrings replace `**parameters` in the function's own `Args:`.

    Prefect always calls with every parameter, so `function` gets all of them, including defaults. A plain call of
    `function` itself gets only the parameters that are passed.
    """
    signature = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    *named, last = signature.parameters.values()
    (fields,) = get_args(hints.get(last.name)) or (None,)
    if last.kind is not inspect.Parameter.VAR_KEYWORD or not is_typeddict(fields):
        raise TypeError(f"{function.__qualname__} does not end with **{last.name}: Unpack[SomeTypedDict]")
    named = [each.replace(annotation=parameter_annotation(hints.get(each.name, Any))) for each in named]
    expanded = [*named, *_parameters(fields)]
    function.__doc__ = with_args(inspect.getdoc(function) or "", _docs(fields))
    return _shown(function, expanded, hints.get("return", Any))


def as_parameters(function: F) -> F:
    """Annotate the parameters of a function that has no `**parameters` as `named_parameters` does."""
    signature, hints = inspect.signature(function), get_type_hints(function, include_extras=True)
    shown = [each.replace(annotation=parameter_annotation(hints[each.name])) for each in signature.parameters.values()]
    return _shown(function, shown, hints["return"])


def _shown(function: F, parameters: list[inspect.Parameter], returns: Any) -> F:
    """Set these parameters as the signature of a function, for Prefect and for people."""
    called = CalledSignature(parameters, return_annotation=returns)
    called.called = function.__name__
    function.__signature__ = called  # type: ignore[attr-defined]  # read by `inspect.signature`
    function.__annotations__ = {**{each.name: each.annotation for each in parameters}, "return": returns}
    return function


def checked(function: F) -> F:
    """Make a plain function with named parameters refuse a wrong call, as Prefect does for tasks and flows."""
    signature = inspect.signature(function)

    @wraps(function)
    def bound(*args: Any, **kwargs: Any) -> Any:
        signature.bind(*args, **kwargs)
        return function(*args, **kwargs)

    return cast(F, bound)


@cache  # resolving the hints takes some 40 µs
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
    return [
        inspect.Parameter(name, kind, default=defaults[name], annotation=parameter_annotation(plain[name]))
        for each in _order(fields)
        for name in _own(each)
    ]


def _docs(fields: type) -> dict[str, str]:
    return {name: text for each in _order(fields) for name, text in field_docs(each).items()}


def _order(fields: type) -> list[type]:
    """Return a `TypedDict` and all that it derives from, each before its own bases.

    So the general options stand at the end of a form. A `TypedDict` forgets its bases, so a class of the same bases
    is asked for its order.
    """
    return [each.fields for each in _like(fields).__mro__[:-1]]  # type: ignore[attr-defined]  # all but `object` are `_like`


@cache
def _like(fields: type) -> type:
    bases = [each for each in get_original_bases(fields) if is_typeddict(each)]
    return type(fields.__name__, tuple(map(_like, bases)), {"fields": fields})


def _own(fields: type) -> list[str]:
    inherited = {name for each in _order(fields)[1:] for name in each.__annotations__}
    return [name for name in fields.__annotations__ if name not in inherited]


def _default_in(hint: Any) -> Any:
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((extra.value for extra in extras if isinstance(extra, Default)), None)
