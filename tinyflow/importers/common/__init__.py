"""What the importers of float models share: layers, the graph's builder, and how to emit what
several formats have in common. Nothing here knows a file format."""
