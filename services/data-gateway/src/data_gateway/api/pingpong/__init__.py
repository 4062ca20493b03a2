"""PingPong's dialect: points of custom metrics (contract C30)."""
