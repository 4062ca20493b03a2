"""PingHome's dialect: commands (contract A1-A14, A25-A27, A31-A34)."""
