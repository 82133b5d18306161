"""Pages of the look-up service for people with a browser; they work without JavaScript as well."""
