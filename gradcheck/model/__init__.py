"""The nouns: frozen values that travel between the rooms, with no behaviour beyond properties."""
