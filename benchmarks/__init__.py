"""How fast, how large, how good: every number printed with its machine and versions."""
