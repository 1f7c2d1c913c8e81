"""Classifiers without a network: words that are counted, and rules that are written down."""
