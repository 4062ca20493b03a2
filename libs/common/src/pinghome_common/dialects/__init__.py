"""The accents at the intake: how each API family says who is calling, what went wrong and what a thing is called."""
