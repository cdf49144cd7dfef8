"""What each error that answers a request means: what is known of the effect, whether to ask again, what to do.

The statuses and codes are those that the Jobs API documents for its calls, those that it was seen to answer with, and
what proxies and networks add. `docs/waiting.md` shows this table. Beside it, `_client.retries` knows why there was no
connection and how long an answer asks to wait, and `_client.session` whether who asks was let in before.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# The Jobs API's own words for it, which come with 400 too; a gateway answers 404 for reasons of its own.
DOES_NOT_EXIST = re.compile(r"^(Run|Job)\b.*\b(does not|doesn't) exist", re.IGNORECASE | re.DOTALL)
NO_ANSWER = 0  # stands for the status where there is none
NO_CONNECTION, BAD_CERTIFICATE, LOST_ANSWER = "no connection", "untrusted certificate", "no answer"
NOTHING_ISSUED = "no answer, or none with a token"


class Meaning(NamedTuple):
    """What one kind of error means.

    Attributes:
        error: The name of its class; empty for any.
        when: When it comes: statuses, as the docs show them.
        statuses: The HTTP statuses from the first to the last.
        error_code: Databricks' own code; empty for any.
        may_be_done: Whether what was asked for may have been done. It is known not to be otherwise.
        may_pass: Whether the same request may succeed a little later, so that it is sent again.
        advice: What the user can do.
    """

    error: str
    when: str
    statuses: tuple[int, int]
    error_code: str
    may_be_done: bool
    may_pass: bool
    advice: str

    def fits(self, kind: str, status: int, error_code: str) -> bool:
        """Whether it is the meaning of an error of this class."""
        first, last = self.statuses
        is_of_kind = not self.error or self.error == kind
        return is_of_kind and first <= status <= last and self.error_code in ("", error_code)


def _refused(error: str, status: int, advice: str, *, code: str = "", may_pass: bool = False) -> Meaning:
    """Return a refusal: nothing was done."""
    return Meaning(error, str(status), (status, status), code, False, may_pass, advice)


_CORRECT = "Correct the request; sending it again changes nothing."
_WAIT_FOR_IT = "Something else is being done to the same job or run. Try again when that is done."
_LOCKED = "COULD_NOT_ACQUIRE_LOCK"
_CHECK_ID = "Check the id, and that `host` is the workspace that has it; it may have been deleted."
_SIGN_IN = "Check how the credentials block signs in; its token or secret may have expired or been revoked."
_CHECK_SIGN_IN = "Check how the credentials block signs in. Nothing was sent to the Jobs API."
_REACH_ISSUER = "Check that this machine reaches it. Nothing was sent to the Jobs API."
_REACH = "Check the `host` of the credentials block, and that this machine reaches it."
_PROXY = "Check that `host` is a workspace's address, and what proxy stands in between."
_NOT_SERVED = "Check the `host`: it does not serve the Jobs API 2.2."
_LIMIT = "A limit of the workspace is reached. Wait until other runs have finished, or ask a workspace admin."
_SEE_ITS_PAGE = "The run or job is in a state that does not allow this. See its page."
_LESS_OFTEN = "Ask less often: a longer `polling_period_seconds`, or fewer runs at once."
_NOT_OFFERED = "This workspace does not offer what the request asks for. Leave that out, or use another workspace."

# The first that fits is meant.
MEANINGS = (
    Meaning("", "4xx", (400, 499), _LOCKED, False, True, _WAIT_FOR_IT),
    _refused("BadRequest", 400, _SEE_ITS_PAGE, code="INVALID_STATE"),
    _refused("BadRequest", 400, _LIMIT, code="QUOTA_EXCEEDED"),
    _refused("BadRequest", 400, _CORRECT),
    _refused("NotFound", 400, _CHECK_ID),
    Meaning("SignInFailed", "any", (NO_ANSWER, 499), "", False, False, _CHECK_SIGN_IN),
    _refused("Unauthenticated", 401, _SIGN_IN),
    _refused("Unauthenticated", 403, _SIGN_IN),
    _refused("PermissionDenied", 403, "Ask a workspace admin for the permission, or use other credentials."),
    _refused("NotFound", 404, "Ask a workspace admin to enable the feature.", code="FEATURE_DISABLED"),
    _refused("NotFound", 404, _NOT_SERVED, code="ENDPOINT_NOT_FOUND"),
    _refused("NotFound", 404, _CHECK_ID),
    _refused("DatabricksApiError", 408, "The request did not arrive in time. Try again.", may_pass=True),
    _refused("Conflict", 409, _WAIT_FOR_IT),
    _refused("RateLimited", 429, _LESS_OFTEN, may_pass=True),
    Meaning("DatabricksApiError", "other 4xx", (400, 499), "", False, False, "See the message of Databricks above."),
    _refused("DatabricksApiError", 501, _NOT_OFFERED),
    Meaning("ServerError", "other 5xx", (500, 599), "", True, True, "This is Databricks' side; try again later."),
    Meaning("InvalidResponse", "2xx", (200, 299), "", True, True, _PROXY),
    Meaning("InvalidResponse", "3xx", (300, 399), "", False, False, _PROXY),
    Meaning("InvalidResponse", "404", (404, 404), "", False, True, _NOT_SERVED),
    Meaning("InvalidResponse", "4xx", (400, 499), "", False, True, _PROXY),
    Meaning("InvalidResponse", "5xx", (500, 599), "", True, True, _PROXY),
    Meaning("SignInUnavailable", NOTHING_ISSUED, (NO_ANSWER, NO_ANSWER), "", False, True, _REACH_ISSUER),
    Meaning("DatabricksConnectionError", NO_CONNECTION, (NO_ANSWER, NO_ANSWER), "", False, True, _REACH),
    Meaning("DatabricksConnectionError", BAD_CERTIFICATE, (NO_ANSWER, NO_ANSWER), "", False, False, _REACH),
    Meaning("DatabricksConnectionError", LOST_ANSWER, (NO_ANSWER, NO_ANSWER), "", True, True, _REACH),
)


def meaning_of(error: type, status: int, error_code: str = "") -> Meaning:
    """Return what an error means; one of a class that is not in the table means what its base class does.

    Args:
        error: Its class.
        status: The HTTP status; `NO_ANSWER` for none.
        error_code: Databricks' own code; empty for none.
    """
    for kind in error.__mro__:
        for meaning in MEANINGS:
            if meaning.fits(kind.__name__, status, error_code):
                return meaning
    return Meaning(error.__name__, str(status), (status, status), "", True, False, "")
