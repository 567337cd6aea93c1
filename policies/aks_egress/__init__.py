"""What AKS needs from the network, and what an Azure network does with it.

Opens no file but its own data, imports no SDK and prints nothing: readers turn definitions into
documents (`aks_egress.arm`), the engine turns documents into a report (`aks_egress.engine`).
"""

__version__ = "0.1.0"
