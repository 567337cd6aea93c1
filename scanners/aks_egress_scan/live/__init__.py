"""What runs: collected through Azure's own SDKs into a picture that is judged now or later."""
