"""The rules: each looks at what was read and judged, and says what a person must act on."""
