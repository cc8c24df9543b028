"""What the store refuses, as an answer. Where the store lies, and what was asked of it, is never quoted."""

from __future__ import annotations

from tiercast.contract import errors
from tiercast.serving.http.error_responses import HttpError

NO_STORE = "this service has no store of scores"
GET_ONE = "tiercast publish SCORES --store URL makes one; then start the service with --store URL"
LATER = {"Retry-After": "5"}
NOT_YET = (errors.StoreRefused, errors.SourceUnreadable, errors.CannotWrite)


def no_store() -> HttpError:
    return HttpError(404, code="NoStore", message=NO_STORE, hint=GET_ONE)


def of_store(error: errors.TiercastError) -> HttpError:
    """503 where waiting or an operator helps, 410 for what is no longer kept, 422 for a wrong question."""
    code = type(error).__name__
    if isinstance(error, errors.StoreUnavailable):
        hint = "ask again as the Retry-After header says; POST /v1/score needs no store"
        return HttpError(503, LATER, code=code, message="the score store does not answer", hint=hint)
    if isinstance(error, NOT_YET):
        return HttpError(503, LATER, code=code, message=error.what, hint=error.hint)
    if isinstance(error, errors.GenerationGone):
        return HttpError(410, code=code, message=error.what, hint=error.hint)
    if isinstance(error, errors.BadInput):
        return HttpError(422, code=code, message=error.what, hint=error.hint)
    return HttpError(500)


def of_page(error: errors.TiercastError, *, has_cursor: bool) -> HttpError:
    """The same for a page: a cursor outlives its generation only by as many as are kept."""
    refused = of_store(error)
    if isinstance(error, errors.GenerationGone) and has_cursor:
        refused.fields["hint"] = "start again without cursor: newer scores have been published"
    elif isinstance(error, errors.GenerationGone):
        return HttpError(422, **refused.fields, fields=[{"path": "moved_since", "message": error.what}])
    elif refused.status == 422 and has_cursor:
        refused.fields["fields"] = [{"path": "cursor", "message": error.what}]
    return refused


def busy() -> HttpError:
    hint = "ask again as the Retry-After header says; other requests are answered meanwhile"
    what = "other exports are running"
    return HttpError(503, {"Retry-After": "10"}, code="ExportsBusy", message=what, hint=hint)
