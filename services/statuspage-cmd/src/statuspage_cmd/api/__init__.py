"""The outside: routes by dialect and noun."""
