"""The gnn plugin of metier: graph neural networks, fitted on the caller's own graphs."""
