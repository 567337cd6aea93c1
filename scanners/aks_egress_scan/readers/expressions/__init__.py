"""ARM template expressions: parsed once, evaluated with everything unknown kept as unknown."""
