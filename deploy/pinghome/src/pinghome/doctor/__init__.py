"""`pinghome doctor`: looks at every part of the platform, also when it is down, and says what to do."""
