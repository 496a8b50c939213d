"""The domain: sites, people, visits, live state and the questions about them. Knows neither Flask nor Dash."""
