"""How a signed report leaves: one gate for its status, one document, each destination once."""
