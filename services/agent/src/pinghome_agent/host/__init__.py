"""What can be measured of a host, one module per metric type; all of it may be read from made /proc and /sys trees."""
