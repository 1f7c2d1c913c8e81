"""The mlm plugin of metier: masked language models and their kin."""
