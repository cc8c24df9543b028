"""WHICH TREES FIT THIS SHOP: a search for better settings on windows that were over before the holdout began."""
