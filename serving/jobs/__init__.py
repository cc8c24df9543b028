"""Batch jobs: a configured source is scored by a process of its own, asked for over HTTP, and kept in the store."""
