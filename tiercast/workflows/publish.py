"""Load a score file into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.serving.store.database import Store
    from tiercast.serving.store.publish import Published


def publish(store: Store, scores: str, keep: int | None, *, force: bool, memory: str | None) -> Published:
    """The published generation. `keep` generations stay in the store; None means the store's default."""
    from tiercast.serving.store import generations
    from tiercast.serving.store import publish as publishing

    kept = generations.KEEP if keep is None else keep
    with console.progress("publish", publishing.STEPS) as on_step:
        limit = memory or publishing.MEMORY
        return publishing.publish(store, scores, keep=kept, force=force, memory=limit, on_step=on_step)
