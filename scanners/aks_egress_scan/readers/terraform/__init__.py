"""What plan, state and source of Terraform share: resource instances, and their way into ARM's shape."""
