"""How other dialects spell what ARM says: tables of attribute to ARM path, and the writer that follows them."""
