"""A client for the service: one method per address, typed responses, retries and time limits.

    from tiercast import Client

    with Client("https://tiercast.example", key="tck_...") as client:
        for customer in client.search(tiers=["B"], p_churn={"min": 0.7}, sort="-value_at_risk"):
            print(customer.customer_id, customer.value_at_risk, customer.action_text)

Every request but `submit` is safe to repeat. The client repeats it after a lost connection, a 429 and a 503, at most
`retries` times, and waits as long as the response says. Needs `pip install tiercast`, without any extra.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

import urllib3
from pydantic import BaseModel

from tiercast import __version__
from tiercast.contract import errors, files
from tiercast.serving.http import schemas
from tiercast.serving.http.scores import responses as stored
from tiercast.serving.jobs.api_models import JobList, JobStatus
from tiercast.serving.online import responses
from tiercast.tiers.languages import Language

RETRIED = (429, 503)
CHUNK = 1 << 16
Model = TypeVar("Model", bound=BaseModel)
Day = dt.date | str


class ServiceError(errors.TiercastError):
    """An error response of the service. `status` is 0 where there was no response at all.

    `code` is stable and meant for programs. `fields` lists the invalid places of the request as (path, message).
    """

    def __init__(self, status: int, payload: Mapping[str, Any]) -> None:
        self.status, self.code = status, str(payload.get("code", "Unknown"))
        self.request_id = payload.get("request_id")
        self.fields = [(str(each["path"]), str(each["message"])) for each in payload.get("fields") or []]
        places = "; ".join(f"{path}: {message}" for path, message in self.fields)
        super().__init__(
            f"the service responded {status} {self.code}: {payload.get('message', '')}"
            if status
            else payload["message"],
            first=places or None,
            hint=str(payload.get("hint", "")),
            count=payload.get("count"),
            total=payload.get("total"),
        )


class Client:
    """A client of one service. Safe for several threads; keeps its connections until it is closed."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:3000",
        key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 3,
    ) -> None:
        """`key` defaults to the environment variable TIERCAST_KEY. `timeout` is for each attempt, in seconds."""
        self.url = url.rstrip("/")
        key = key or os.environ.get("TIERCAST_KEY")
        self._headers = {"User-Agent": f"tiercast/{__version__}"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._timeout = urllib3.Timeout(connect=min(5.0, timeout), read=timeout)
        self._retry = urllib3.Retry(
            retries,
            status_forcelist=RETRIED,
            allowed_methods=None,
            backoff_factor=0.2,
            raise_on_status=False,
            redirect=0,
        )
        self._pool = urllib3.PoolManager(maxsize=8)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def score(
        self, customers: Iterable[Mapping[str, Any]], as_of: Day, *, lang: Language = "en", letter_change: bool = False
    ) -> responses.ScoreResponse:
        """Score up to 1,000 customers now, from their raw transactions, as of a day.

        With `letter_change`, at most 16 customers, and each score says what would change its letter.
        """
        body: dict[str, Any] = {"as_of": _day(as_of), "customers": list(customers), "lang": lang}
        body |= {"letter_change": True} if letter_change else {}
        return self._post("/v1/score", body, responses.ScoreResponse)

    def lookup(self, customer_ids: Iterable[str], *, lang: Language = "en") -> stored.LookupResponse:
        """The stored scores of up to 1,000 customers; ids that the store does not know are listed."""
        return self._post(
            "/v1/customers/lookup", {"customer_ids": list(customer_ids), "lang": lang}, stored.LookupResponse
        )

    def history(self, customer_id: str, *, lang: Language = "en") -> stored.HistoryResponse:
        """One customer through the published generations, the newest first."""
        return self._post("/v1/customers/history", {"customer_id": customer_id, "lang": lang}, stored.HistoryResponse)

    def page(self, **criteria: Any) -> stored.SearchResponse:
        """One page of customers; `criteria` are the request's fields, `cursor=page.next` selects the next page."""
        return self._post("/v1/customers/search", _as_json(criteria), stored.SearchResponse)

    def search(self, **criteria: Any) -> Iterator[Any]:
        """All customers that meet the criteria, page by page, from one generation."""
        cursor: str | None = None
        while True:
            page = self.page(**criteria, **({"cursor": cursor} if cursor else {}))
            yield from page.scores
            cursor = page.next
            if cursor is None:
                return

    def export(self, to: str | pathlib.Path, **criteria: Any) -> pathlib.Path:
        """The same customers as a file, CSV or Parquet by its ending; it appears once it is complete.

        Raises `CannotWrite` where it cannot be written.
        """
        path = pathlib.Path(to)
        if path.suffix not in (".csv", ".parquet"):
            raise errors.CannotWrite("an export is CSV or Parquet", first=str(path), hint="name it .csv or .parquet")
        body = _as_json(criteria) | {"format": path.suffix[1:]}
        response = self._request("POST", "/v1/customers/search", body, is_whole=False)
        try:
            with files.write_atomically(path) as part, part.open("wb") as file:
                for chunk in response.stream(CHUNK):
                    file.write(chunk)
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.url, error) from error
        finally:
            response.release_conn()
        return path

    def grid(self) -> stored.GridResponse:
        """Customers, value and value at risk per tier, and the moves since the generation before."""
        return self._get("/v1/grid", stored.GridResponse)

    def generations(self) -> stored.GenerationsResponse:
        """The published score files that are kept."""
        return self._get("/v1/generations", stored.GenerationsResponse)

    def model(self) -> schemas.ModelCard:
        """The served model, its scorecard, and the meaning of every number."""
        return self._get("/v1/model", schemas.ModelCard)

    def reload(self) -> schemas.Reloaded:
        """Make the service load the newest bundle and serve it; needs the role admin."""
        return self._post("/v1/admin/reload", {}, schemas.Reloaded)

    def submit(self, source: str, as_of: Day, *, idempotency_key: str | None = None, **options: Any) -> JobStatus:
        """Start a job that scores a configured source as of a day. The same idempotency key returns the same job."""
        body = {"source": source, "as_of": _day(as_of), "options": options, "idempotency_key": idempotency_key}
        return self._post("/v1/jobs/score", body, JobStatus, is_safe=idempotency_key is not None)

    def jobs(self) -> JobList:
        """The sources that can be scored, and the newest jobs."""
        return self._get("/v1/jobs", JobList)

    def job(self, job_id: str) -> JobStatus:
        """The status of a job."""
        return self._post("/v1/jobs/status", {"job_id": job_id}, JobStatus)

    def cancel(self, job_id: str) -> JobStatus:
        """Stop a running job, or remove a waiting one from the queue."""
        return self._post("/v1/jobs/cancel", {"job_id": job_id}, JobStatus)

    def wait(self, job_id: str, *, seconds: float = 3600.0, every: float = 1.0) -> JobStatus:
        """The job after it has ended, also in failure. Raises `ServiceError` when it takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while (status := self.job(job_id)).finished_at is None:
            if time.monotonic() > deadline:
                message = f"the job is not over after {seconds:g} s"
                raise ServiceError(0, {"code": "StillRunning", "message": message, "hint": "wait on, or cancel it"})
            time.sleep(every)
        return status

    def _get(self, path: str, kind: type[Model]) -> Model:
        return kind.model_validate_json(self._request("GET", path, None).data)

    def _post(self, path: str, body: Mapping[str, Any], kind: type[Model], *, is_safe: bool = True) -> Model:
        return kind.model_validate_json(self._request("POST", path, body, is_safe=is_safe).data)

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, is_safe: bool = True, is_whole: bool = True
    ) -> urllib3.BaseHTTPResponse:
        try:
            response = self._pool.request(
                method,
                self.url + path,
                body=None if body is None else json.dumps(body, allow_nan=False).encode(),
                headers=self._headers | ({} if body is None else {"Content-Type": "application/json"}),
                timeout=self._timeout,
                retries=self._retry if is_safe else self._retry.new(total=0),
                preload_content=is_whole,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.url, error) from error
        if response.status < 400:
            return response
        raise ServiceError(response.status, _error_payload(response.data))


def _error_payload(body: bytes) -> Mapping[str, Any]:
    """The service's own error, or a substitute where a proxy responded instead."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        error = None
    hint = "look at what stands between here and the service"
    return error if isinstance(error, dict) else {"message": "not in the service's own words", "hint": hint}


def _unreachable(url: str, error: Exception) -> ServiceError:
    message = f"no response from {url}: {getattr(error, 'reason', None) or error}"
    return ServiceError(0, {"code": "NoAnswer", "message": message, "hint": "is it up? tiercast serve starts it"})


def _as_json(criteria: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in criteria.items()}


def _day(day: Day) -> str:
    return day.isoformat() if isinstance(day, dt.date) else day
