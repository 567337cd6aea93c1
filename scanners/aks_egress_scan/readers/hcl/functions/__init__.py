"""Terraform's functions, one module for each family, gathered in a table."""
