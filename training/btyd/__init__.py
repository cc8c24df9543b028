"""Maximum likelihood for the closed-form models, exact and fast: BG/NBD and Gamma-Gamma."""
