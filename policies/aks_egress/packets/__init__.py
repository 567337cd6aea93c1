"""The algebra of packets: addresses, ports, protocols, names and service tags as sets."""
