"""Our own Dash components: lists and forms that React draws at once. Their functions are in assets/components/."""
