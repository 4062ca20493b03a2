"""PingHome's dialect: statistics (contract A23, A24, A30, A37, A38)."""
