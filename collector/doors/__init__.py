"""The public routes. A door that collects turns requests into our events, and their outcomes into the answer."""
