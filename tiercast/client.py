"""A client for the service: one method per address, typed answers, retries and time limits.

    from tiercast import Client

    with Client("https://tiercast.example", key="tck_...") as client:
        for customer in client.search(tiers=["B"], p_churn={"min": 0.7}, sort="-value_at_risk"):
            print(customer.customer_id, customer.value_at_risk, customer.action_text)

Everything but `submit` may be asked twice without harm, so it is: after a lost connection, a 429 and a 503, waiting as
long as the service says, at most `retries` times. Needs `pip install tiercast`, without any extra.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, TypeVar

import urllib3
from pydantic import BaseModel

from tiercast import __version__
from tiercast.contract import errors, files
from tiercast.serving.http import schemas
from tiercast.serving.http.scores import responses as stored
from tiercast.serving.jobs.api_models import JobList, JobStatus
from tiercast.serving.online import responses

AGAIN = (429, 503)
PIECE = 1 << 16
Answer = TypeVar("Answer", bound=BaseModel)
Day = dt.date | str
Lang = Literal["en", "zh"]


class ServiceError(errors.TiercastError):
    """What the service refused, in its own words. `status` is 0 where there was no answer at all.

    `code` is what a program may rely on; `fields` are the places of the request that do not fit, as (path, message).
    """

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        self.status, self.code = status, str(told.get("code", "Unknown"))
        self.request_id = told.get("request_id")
        self.fields = [(str(each["path"]), str(each["message"])) for each in told.get("fields") or []]
        places = "; ".join(f"{path}: {message}" for path, message in self.fields)
        super().__init__(
            f"the service answers {status} {self.code}: {told.get('message', '')}" if status else told["message"],
            first=places or None,
            hint=str(told.get("hint", "")),
            count=told.get("count"),
            total=told.get("total"),
        )


class Client:
    """One service. May be used by several threads; keeps its connections until it is closed."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:3000",
        key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 3,
    ) -> None:
        """`key` is TIERCAST_KEY where it is not given. `timeout` is for each attempt, in seconds."""
        self.url = url.rstrip("/")
        key = key or os.environ.get("TIERCAST_KEY")
        self._headers = {"User-Agent": f"tiercast/{__version__}"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._timeout = urllib3.Timeout(connect=min(5.0, timeout), read=timeout)
        self._again = urllib3.Retry(
            retries, status_forcelist=AGAIN, allowed_methods=None, backoff_factor=0.2, raise_on_status=False, redirect=0
        )
        self._pool = urllib3.PoolManager(maxsize=8)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._pool.clear()

    def score(self, customers: Iterable[Mapping[str, Any]], as_of: Day, *, lang: Lang = "en") -> responses.ScoreAnswer:
        """Score up to 1,000 customers now, from their raw transactions, as of a day."""
        body = {"as_of": _day(as_of), "customers": list(customers), "lang": lang}
        return self._post("/v1/score", body, responses.ScoreAnswer)

    def lookup(self, customer_ids: Iterable[str], *, lang: Lang = "en") -> stored.LookupAnswer:
        """The stored scores of up to 1,000 customers; ids that the store does not know are listed."""
        return self._post(
            "/v1/customers/lookup", {"customer_ids": list(customer_ids), "lang": lang}, stored.LookupAnswer
        )

    def history(self, customer_id: str, *, lang: Lang = "en") -> stored.HistoryAnswer:
        """One customer through the published generations, the newest first."""
        return self._post("/v1/customers/history", {"customer_id": customer_id, "lang": lang}, stored.HistoryAnswer)

    def page(self, **wishes: Any) -> stored.SearchAnswer:
        """One page of customers; `wishes` are the request's fields, `cursor=answer.next` asks for the next page."""
        return self._post("/v1/customers/search", _sent(wishes), stored.SearchAnswer)

    def search(self, **wishes: Any) -> Iterator[Any]:
        """All customers that meet the wishes, page by page, from one generation."""
        cursor: str | None = None
        while True:
            answer = self.page(**wishes, **({"cursor": cursor} if cursor else {}))
            yield from answer.scores
            cursor = answer.next
            if cursor is None:
                return

    def export(self, to: str | pathlib.Path, **wishes: Any) -> pathlib.Path:
        """The same customers as a file, CSV or Parquet by its ending; it appears once it is complete.

        Raises `CannotWrite` where it cannot be written.
        """
        path = pathlib.Path(to)
        if path.suffix not in (".csv", ".parquet"):
            raise errors.CannotWrite("an export is CSV or Parquet", first=str(path), hint="name it .csv or .parquet")
        body = _sent(wishes) | {"format": path.suffix[1:]}
        response = self._ask("POST", "/v1/customers/search", body, is_whole=False)
        try:
            with files.write_atomically(path) as part, part.open("wb") as file:
                for piece in response.stream(PIECE):
                    file.write(piece)
        except urllib3.exceptions.HTTPError as error:
            raise _no_answer(self.url, error) from error
        finally:
            response.release_conn()
        return path

    def grid(self) -> stored.GridAnswer:
        """Customers, value and value at risk per tier, and who moved since the generation before."""
        return self._get("/v1/grid", stored.GridAnswer)

    def generations(self) -> stored.GenerationsAnswer:
        """The published score files that are kept."""
        return self._get("/v1/generations", stored.GenerationsAnswer)

    def model(self) -> schemas.ModelCard:
        """The served model, its scorecard, and what every number means."""
        return self._get("/v1/model", schemas.ModelCard)

    def reload(self) -> schemas.Reloaded:
        """Have the service look for another bundle and serve it; needs the role admin."""
        return self._post("/v1/admin/reload", {}, schemas.Reloaded)

    def submit(self, source: str, as_of: Day, *, idempotency_key: str | None = None, **options: Any) -> JobStatus:
        """Have a configured source scored as of a day. Asked twice with the same key, it is one job."""
        body = {"source": source, "as_of": _day(as_of), "options": options, "idempotency_key": idempotency_key}
        return self._post("/v1/jobs/score", body, JobStatus, is_safe=idempotency_key is not None)

    def jobs(self) -> JobList:
        """The sources that can be scored, and the newest jobs."""
        return self._get("/v1/jobs", JobList)

    def job(self, job_id: str) -> JobStatus:
        """How far a job is."""
        return self._post("/v1/jobs/status", {"job_id": job_id}, JobStatus)

    def cancel(self, job_id: str) -> JobStatus:
        """Stop a job, or take it out of the line."""
        return self._post("/v1/jobs/cancel", {"job_id": job_id}, JobStatus)

    def wait(self, job_id: str, *, seconds: float = 3600.0, every: float = 1.0) -> JobStatus:
        """The job once it is over, however it ended. Raises `ServiceError` when it takes longer."""
        until = time.monotonic() + seconds
        while (found := self.job(job_id)).finished_at is None:
            if time.monotonic() > until:
                message = f"the job is not over after {seconds:g} s"
                raise ServiceError(0, {"code": "StillRunning", "message": message, "hint": "wait on, or cancel it"})
            time.sleep(every)
        return found

    def _get(self, path: str, kind: type[Answer]) -> Answer:
        return kind.model_validate_json(self._ask("GET", path, None).data)

    def _post(self, path: str, body: Mapping[str, Any], kind: type[Answer], *, is_safe: bool = True) -> Answer:
        return kind.model_validate_json(self._ask("POST", path, body, is_safe=is_safe).data)

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, is_safe: bool = True, is_whole: bool = True
    ) -> urllib3.BaseHTTPResponse:
        try:
            response = self._pool.request(
                method,
                self.url + path,
                body=None if body is None else json.dumps(body, allow_nan=False).encode(),
                headers=self._headers | ({} if body is None else {"Content-Type": "application/json"}),
                timeout=self._timeout,
                retries=self._again if is_safe else self._again.new(total=0),
                preload_content=is_whole,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _no_answer(self.url, error) from error
        if response.status < 400:
            return response
        raise ServiceError(response.status, _told(response.data))


def _told(body: bytes) -> Mapping[str, Any]:
    """The service's own error; where a proxy answered instead, that it did."""
    try:
        found = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        found = None
    hint = "look at what stands between here and the service"
    return found if isinstance(found, dict) else {"message": "not in the service's own words", "hint": hint}


def _no_answer(url: str, error: Exception) -> ServiceError:
    message = f"no answer from {url}: {getattr(error, 'reason', None) or error}"
    return ServiceError(0, {"code": "NoAnswer", "message": message, "hint": "is it up? tiercast serve starts it"})


def _sent(wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in wishes.items()}


def _day(day: Day) -> str:
    return day.isoformat() if isinstance(day, dt.date) else day
