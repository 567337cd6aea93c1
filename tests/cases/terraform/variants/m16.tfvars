routes = [{ name = "other", prefix = "10.7.0.0/16", hop = "VirtualAppliance", address = "10.0.9.4" }]
