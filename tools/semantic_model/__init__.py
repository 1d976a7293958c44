"""Building what the default pack knows from data: the semantic model, the learned merchants and the confidence."""
