"""What people get: findings, the report, and how both are identified."""
