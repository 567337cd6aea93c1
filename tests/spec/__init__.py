"""The second definition: what Azure does with one packet, written from the documentation, slowly and obviously.

Nothing here knows the engine.  Resources are ARM JSON as a template holds it, a packet is five plain values, and every
function answers with the *set* of outcomes that the documentation leaves possible: one member means it is settled.
"""
