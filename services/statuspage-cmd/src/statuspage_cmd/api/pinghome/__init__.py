"""PingHome's dialect: commands of status pages (contract A40-A53)."""
