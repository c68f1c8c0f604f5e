"""What people keep for a product on the site: its settings, and places that are not looked at."""
