"""What the probers are to do: the streams, each monitor's schedule in them, and dry runs."""
