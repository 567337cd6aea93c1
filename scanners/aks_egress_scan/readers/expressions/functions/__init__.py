"""The functions of ARM template expressions, one module for each family."""
