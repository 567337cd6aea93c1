"""Checks for `checkov --external-checks-dir "$(aks-egress checkov-dir)"`; checkov executes every file here."""
