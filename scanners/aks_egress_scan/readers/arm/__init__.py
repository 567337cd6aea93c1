"""ARM deployments expanded into resources: what JSON templates and compiled Bicep share."""
