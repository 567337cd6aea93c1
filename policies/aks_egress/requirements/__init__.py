"""What AKS needs: the catalogue, when each entry is needed, and the entries bound to one cluster."""
