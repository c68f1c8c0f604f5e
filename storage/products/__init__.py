"""What a product has of its own: settings that were accepted for it, and how they were found."""
