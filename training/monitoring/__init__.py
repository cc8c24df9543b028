"""WHETHER IT STILL HOLDS: drift, freshness and closed windows, as numbered checks that a nightly job can act on."""
