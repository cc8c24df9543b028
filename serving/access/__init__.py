"""Who may ask what of the service: keys, roles, how often, and the record of who asked."""
