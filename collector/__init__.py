"""From HTTP to committed rows. Imports `analytics`, never Dash."""
