"""From a demand to a verdict: first match, hops, the walk of a flow, and how verdicts combine."""
