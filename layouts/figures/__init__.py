"""Charts and maps as Plotly figures: pure functions that return plain dicts, one file a figure."""
