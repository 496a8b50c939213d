"""The parts that pages are made of: cards, tables, the map."""
