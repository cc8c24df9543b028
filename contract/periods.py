"""Lengths of time, in days."""

from __future__ import annotations

YEAR_DAYS = 365
"""A year as features and labels count it: the same day a year before is 365 days back, in leap years too."""
MONTH_DAYS = 30.0
"""A month as plain rules count it: Dynamics 365's "average spend per month"."""
