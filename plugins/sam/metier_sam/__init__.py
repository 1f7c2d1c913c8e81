"""The sam plugin of metier: Segment Anything and other models that segment by prompts."""
