"""Errors of the score store as HTTP errors. They never quote the store's address or a value of the query."""

from __future__ import annotations

from tiercast.contract import errors
from tiercast.serving.http.error_responses import HttpError

NO_STORE = "this service has no store of scores"
PUBLISH_HINT = "tiercast publish SCORES --store URL makes one; then start the service with --store URL"
RETRY = {"Retry-After": "5"}
TEMPORARY = (errors.StoreRefused, errors.SourceUnreadable, errors.CannotWrite)


def no_store() -> HttpError:
    return HttpError(404, code="NoStore", message=NO_STORE, hint=PUBLISH_HINT)


def from_store_error(error: errors.TiercastError) -> HttpError:
    """503 where waiting or an operator helps, 410 for a generation that is no longer kept, 422 for a wrong query."""
    code = type(error).__name__
    if isinstance(error, errors.StoreUnavailable):
        hint = "try again after the time in the Retry-After header; POST /v1/score needs no store"
        return HttpError(503, RETRY, code=code, message="the score store does not answer", hint=hint)
    if isinstance(error, TEMPORARY):
        return HttpError(503, RETRY, code=code, message=error.what, hint=error.hint)
    if isinstance(error, errors.GenerationGone):
        return HttpError(410, code=code, message=error.what, hint=error.hint)
    if isinstance(error, errors.BadInput):
        return HttpError(422, code=code, message=error.what, hint=error.hint)
    return HttpError(500)


def from_page_error(error: errors.TiercastError, *, has_cursor: bool) -> HttpError:
    """The same for a page of a search: names the field that is at fault, the cursor or `moved_since`."""
    response = from_store_error(error)
    if isinstance(error, errors.GenerationGone) and has_cursor:
        response.fields["hint"] = "start again without cursor: newer scores have been published"
    elif isinstance(error, errors.GenerationGone):
        return HttpError(422, **response.fields, fields=[{"path": "moved_since", "message": error.what}])
    elif response.status == 422 and has_cursor:
        response.fields["fields"] = [{"path": "cursor", "message": error.what}]
    return response


def busy() -> HttpError:
    hint = "try again after the time in the Retry-After header; other requests are not affected"
    what = "other exports are running"
    return HttpError(503, {"Retry-After": "10"}, code="ExportsBusy", message=what, hint=hint)
