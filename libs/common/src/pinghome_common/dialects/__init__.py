"""The accents at the door: how each API family says who is calling, what went wrong and what a thing is called."""
