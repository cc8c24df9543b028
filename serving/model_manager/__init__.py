"""Which bundle answers: fetched into a cache, swapped without a pause, watched, and compared with a challenger."""
