"""The multi-node recipe: verl on Ray, with the rewards and run files of the rest of training/. See README.md here."""
