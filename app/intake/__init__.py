"""How studies come in: objects over the network, made durable before they are acknowledged."""
