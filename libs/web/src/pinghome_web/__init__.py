"""What status pages and the console have in common: how they look, how they speak, how their files are sent."""
