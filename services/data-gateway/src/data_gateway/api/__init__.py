"""What clients see: routes by dialect and noun."""
