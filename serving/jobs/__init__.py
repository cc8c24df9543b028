"""Batch jobs: a caller submits one, the store queues it, a worker runs it in a process of its own."""
