"""Readers: each turns one dialect into a document of resources in ARM's shape."""
