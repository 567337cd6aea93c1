"""The command line: readers for every dialect, settings, reporters."""
