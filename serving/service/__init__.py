"""The HTTP service: everything that knows BentoML, Starlette or the shape of a request."""
