"""Forward-looking customer tiers: value, churn risk, why, how sure, what to do."""

__version__ = "0.1.0"
