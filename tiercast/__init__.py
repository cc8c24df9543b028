"""Forward-looking customer tiers: value, churn risk, why, how sure, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiercast.client import Client, ServiceError

__version__ = "0.1.0"
__all__ = ["Client", "ServiceError", "__version__"]


def __getattr__(name: str) -> Any:
    """`from tiercast import Client`, without which the command line would wait for it at every start."""
    if name in ("Client", "ServiceError"):
        from tiercast import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
