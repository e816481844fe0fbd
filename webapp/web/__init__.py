"""Between HTTP and the house: rendering, forms, guards, look-ups. Knows nothing of actions."""
