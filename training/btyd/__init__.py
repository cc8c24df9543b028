"""Maximum likelihood for the closed-form models, exact and fast: BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma."""
