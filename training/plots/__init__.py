"""HOW IT LOOKS: one figure per function, numbers in, a matplotlib Figure out; nothing is shown or saved here."""
