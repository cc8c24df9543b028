"""Access to the service: API keys and their roles, rate limits, and the audit log."""
