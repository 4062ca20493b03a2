"""How people and outside systems are told something: transports, kinds of channels, and the pure rules of delivery."""
