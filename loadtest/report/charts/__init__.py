"""Pictures of a run: Altair specifications, drawn as SVG and PNG without a browser."""
