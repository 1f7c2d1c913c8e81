"""Language models: by transformers on this machine, and over the network by their providers' clients."""
