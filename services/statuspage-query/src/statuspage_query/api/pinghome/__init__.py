"""PingHome's dialect: records of status pages (contract A40-A53)."""
