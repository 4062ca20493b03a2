"""PingPong's dialect: records of one status page (contract C)."""
