"""What is spoken over HTTP: routes, errors, limits of requests."""
