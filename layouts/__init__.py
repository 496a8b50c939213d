"""Pure: data in, components out."""
