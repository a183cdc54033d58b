"""What serving and training share."""
