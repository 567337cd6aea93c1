"""Terraform's language: parsed with tree-sitter, evaluated with unknowns kept."""
