"""The API dialects: how each API family authenticates, reports errors and names things."""
