"""The policies: a stack's resources are collected, read as one document, judged once, and told by policy."""
