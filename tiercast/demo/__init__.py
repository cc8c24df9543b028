"""The demo: a public data set, and every step from raw purchases to explained customers."""
