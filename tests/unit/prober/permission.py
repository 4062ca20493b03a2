"""Whether this system lets the tests send ICMP."""

from prober import ping


def may_ping() -> bool:
    try:
        made, _ = ping._open(v6=False)
    except PermissionError:
        return False
    made.close()
    return True
