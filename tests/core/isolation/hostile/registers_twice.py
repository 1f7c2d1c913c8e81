"""Would serve as well as any; but its card has the id of another plugin's."""
