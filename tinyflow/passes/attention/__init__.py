"""What the passes that recognise attention have in common."""
