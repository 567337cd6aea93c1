routes = [{ name = "default", prefix = "0.0.0.0/0", hop = "Internet" }]
