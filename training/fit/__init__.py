"""From closed windows to a bundle: every fit and every choice, on what was known by one day."""
