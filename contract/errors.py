"""The errors of Tiercast and their exit codes.

TiercastError                 exit 1
├── BadInput                  exit 2   the data or the call is wrong
│   ├── SourceUnreadable               no such file, cut off, not what its name says
│   ├── MissingColumn                  a required column is missing
│   ├── WrongType                      a column cannot be read as its type
│   ├── AmbiguousTime                  some timestamps have a time zone, others do not
│   ├── AmbiguousNumber                amounts that can mean two numbers: 1.234
│   ├── NothingKnown                   no usable row before as_of
│   ├── NotEnoughData                  too little history or too few customers for this
│   ├── NoJobs                         the service runs no batch jobs
│   ├── JobUnknown                     no batch job has this id
│   ├── JobSourceUnknown               the jobs file has no source of this name
│   ├── JobOver                        a batch job that has ended cannot be cancelled
│   ├── KeyReused                      an idempotency key that was used for another request
│   ├── QueueFull                      too many batch jobs wait
│   ├── BundleRefused                  wrong hash, unknown format, different features
│   ├── StoreRefused                   a store with another schema, or an empty one
│   ├── StoreBusy                      another process publishes into this store
│   ├── GenerationGone                 this generation of scores is not kept, or no longer
│   └── CannotWrite                    no permission, disk full, folder missing
├── StoreUnavailable          exit 1   the database of the scores does not respond
├── JobsUnavailable           exit 1   the jobs file or the store of a running service cannot be used
├── EngineFailed              exit 1   the data engine refused a query of ours
├── FitFailed                 exit 1   an optimiser did not converge
├── JobFailed                 exit 1   a cluster ended a job without a result
└── GateRefused               exit 3   a promotion gate failed
"""

from __future__ import annotations


class TiercastError(Exception):
    """An error in four parts: what is wrong, how many of how many, the first offender, what to do.

    `what` is one sentence. `count` of `total` are rows, customers or files, named by `unit` in the plural. `first`
    quotes the first offender, `hint` says how to fix it.

    >>> print(TiercastError("the customer is not known", count=1, total=1, unit="customers", first="c-1", hint="..."))
    TiercastError: 1 of 1 customer: the customer is not known
    First: c-1
    Hint: ...
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        hint: str,
        count: int | None = None,
        total: int | None = None,
        unit: str = "rows",
        first: str | None = None,
    ) -> None:
        self.what, self.hint, self.first = what, hint, first
        self.count, self.total, self.unit = count, total, unit
        super().__init__(self.__str__())

    def __str__(self) -> str:
        lines = [f"{type(self).__name__}: {self._measure()}{self.what}"]
        if self.first is not None:
            lines.append(f"First: {self.first}")
        return "\n".join([*lines, f"Hint: {self.hint}"])

    def _measure(self) -> str:
        if self.count is None:
            return ""
        of = f" of {self.total:,}" if self.total is not None else ""
        is_one = (self.count if self.total is None else self.total) == 1
        unit = self.unit[:-1] if is_one and self.unit.endswith("s") and len(self.unit) > 1 else self.unit
        return f"{self.count:,}{of} {unit}: "

    def as_dict(self) -> dict[str, object]:
        """The same four parts for a machine (`--json`, HTTP)."""
        return {
            "code": type(self).__name__,
            "message": self.what,
            "count": self.count,
            "total": self.total,
            "first": self.first,
            "hint": self.hint,
        }


class BadInput(TiercastError):
    exit_code = 2


class SourceUnreadable(BadInput):
    pass


class MissingColumn(BadInput):
    pass


class WrongType(BadInput):
    pass


class AmbiguousTime(BadInput):
    pass


class AmbiguousNumber(BadInput):
    pass


class NothingKnown(BadInput):
    pass


class NotEnoughData(BadInput):
    pass


class NoJobs(BadInput):
    pass


class JobUnknown(BadInput):
    pass


class JobSourceUnknown(BadInput):
    pass


class JobOver(BadInput):
    pass


class KeyReused(BadInput):
    pass


class QueueFull(BadInput):
    pass


class BundleRefused(BadInput):
    pass


class StoreRefused(BadInput):
    pass


class StoreBusy(BadInput):
    pass


class GenerationGone(BadInput):
    pass


class CannotWrite(BadInput):
    pass


class StoreUnavailable(TiercastError):
    pass


class JobsUnavailable(TiercastError):
    pass


class EngineFailed(TiercastError):
    pass


class FitFailed(TiercastError):
    pass


class JobFailed(TiercastError):
    pass


class GateRefused(TiercastError):
    exit_code = 3
