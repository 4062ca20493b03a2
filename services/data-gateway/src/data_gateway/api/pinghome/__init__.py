"""PingHome's dialect: check-ins (contract A39)."""
