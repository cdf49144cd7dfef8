"""The meaning of each error answer: the known effect of the request, whether to send it again, and the advice.

The table has the statuses and codes that the Jobs API documents, further ones seen in its answers, and those of proxies
and networks. `docs/reference/errors.md` shows it. In addition, `_client.retries` knows why there was no connection and
how long an answer asks to wait, and `_client.session` knows whether these credentials were accepted before.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# The Jobs API's own words, which come with 400 too; a gateway answers 404 for its own reasons.
DOES_NOT_EXIST = re.compile(r"^(Run|Job)\b.*\b(does not|doesn't) exist", re.IGNORECASE | re.DOTALL)
NO_ANSWER = 0  # instead of a status
NO_CONNECTION, BAD_CERTIFICATE, LOST_ANSWER = "no connection", "untrusted certificate", "no answer"
NOTHING_ISSUED = "no answer, or an answer without a token"


class Meaning(NamedTuple):
    """The meaning of one kind of error.

    Attributes:
        error: The name of the error's class; empty for any.
        when: The statuses, as the docs show them.
        statuses: The first and the last HTTP status.
        error_code: Databricks' own code; empty for any.
        may_be_done: Whether Databricks may have done what was asked for. If not, it is known that nothing was done.
        may_pass: Whether the same request may succeed later, so that it is sent again.
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
        """Return whether this is the meaning of an error of this class."""
        first, last = self.statuses
        is_of_kind = not self.error or self.error == kind
        return is_of_kind and first <= status <= last and self.error_code in ("", error_code)


def _refused(error: str, status: int, advice: str, *, code: str = "", may_pass: bool = False) -> Meaning:
    """Return a refusal: nothing was done."""
    return Meaning(error, str(status), (status, status), code, False, may_pass, advice)


_CORRECT = "Correct the request; sending it again changes nothing."
_WAIT_FOR_IT = "Another change to the same job or run is in progress. Try again when it is finished."
_LOCKED = "COULD_NOT_ACQUIRE_LOCK"
_CHECK_ID = "Check the id, and that `host` is the right workspace. The run or job may have been deleted."
_SIGN_IN = "Check how the credentials block signs in; its token or secret may have expired or been revoked."
_CHECK_SIGN_IN = "Check how the credentials block signs in. Nothing was sent to the Jobs API."
_REACH_ISSUER = "Check that this machine can reach it. Nothing was sent to the Jobs API."
_REACH = "Check the `host` of the credentials block, and that this machine can reach it."
_PROXY = "Check that `host` is the address of a workspace, and whether a proxy stands in between."
_NOT_SERVED = "Check the `host`: it does not serve the Jobs API 2.2."
_LIMIT = "A limit of the workspace is reached. Wait until other runs have finished, or ask a workspace admin."
_SEE_ITS_PAGE = "The run or job is in a state that does not allow this. See its page."
_LESS_OFTEN = "Send fewer requests: use a longer `polling_period_seconds`, or fewer runs at once."
_NOT_OFFERED = "This workspace does not support something in the request. Remove it, or use another workspace."

# The first meaning that fits applies.
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
    Meaning("DatabricksApiError", "other 4xx", (400, 499), "", False, False, "See the message from Databricks above."),
    _refused("DatabricksApiError", 501, _NOT_OFFERED),
    Meaning(
        "ServerError",
        "other 5xx",
        (500, 599),
        "",
        True,
        True,
        "Databricks has a problem. Try again later.",
    ),
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
    """Return the meaning of an error; a class that is not in the table has the meaning of its base class.

    Args:
        error: The error's class.
        status: The HTTP status; `NO_ANSWER` if there is none.
        error_code: Databricks' own code; empty if there is none.
    """
    for kind in error.__mro__:
        for meaning in MEANINGS:
            if meaning.fits(kind.__name__, status, error_code):
                return meaning
    return Meaning(error.__name__, str(status), (status, status), "", True, False, "")
