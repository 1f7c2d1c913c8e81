"""Masked language models and their kin for metier: embed, rank, classify, extract, fill-mask."""
