"""A plugin written for the contract 1.0."""
