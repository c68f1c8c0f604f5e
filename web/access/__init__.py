"""Who may ask the site for what, and how browsers name it."""
