"""Pulumi resources, from whatever holds them (stack, preview, program, policy server), in ARM's shape."""
