"""Language models: local ones by transformers, remote ones by their protocols."""
