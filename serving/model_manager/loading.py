"""Making a bundle ready to answer, beside the one that answers."""

from __future__ import annotations

import datetime as dt

from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.model_manager import source
from tiercast.serving.model_manager.served_model import Served
from tiercast.serving.model_manager.source import Found
from tiercast.serving.online import model_card
from tiercast.serving.online.scorer import Online


def prepare(found: Found) -> Served:
    """The bundle, loaded, with its plan compiled and rehearsed once.

    Raises `BundleRefused`: it is not intact, has another format, was exchanged meanwhile, or cannot score.
    """
    bundle = bundle_folder.load(found.folder)
    if source.mark(found.folder) != found.mark:
        hint = "write the bundle beside the folder and rename it, as `tiercast train --bundle` does, and reload again"
        raise errors.BundleRefused("the bundle was exchanged while it was read", first=str(found.folder), hint=hint)
    online, now = Online(bundle), dt.datetime.now(dt.UTC)
    try:
        online.warm_up(max(now.date(), bundle.about.as_of))
        card = model_card.as_json(bundle, found.folder, {"origin": found.origin, "since": now})
    except errors.TiercastError:
        raise
    except Exception as error:
        hint = "train it again with this version of Tiercast, or install the version that wrote it"
        what = "the bundle is intact, and yet nothing can be scored with it"
        raise errors.BundleRefused(what, first=f"{type(error).__name__}: {error}", hint=hint) from error
    return Served(online, card, found, now)
