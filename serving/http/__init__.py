"""The HTTP service: one Starlette application, mounted into a BentoML service."""
