"""metier's plugin for masks from prompts."""
