"""How people and outside systems are told what happened: a ledger, a plan, and one file for each kind of channel."""
