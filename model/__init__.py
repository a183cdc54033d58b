"""What serving and training share: the image, the prompt, the report text and the findings in it."""
