"""Whether a table holds enough to train on, measured before anything is fitted."""
