"""PingPong's dialect: commands on one status page (contract C)."""
