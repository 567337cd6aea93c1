"""The Bicep language: read, and lowered to the template that its compiler would emit."""
