"""Thin adapters between Dash and the domain: authorise, ask, render."""
