"""PingHome's dialect: records (contract A15-A22, A28-A29, A35-A36)."""
