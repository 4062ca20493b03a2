"""What is up and what is down: pings and results as they come in, the regions' quorum, deadlines that passed."""
