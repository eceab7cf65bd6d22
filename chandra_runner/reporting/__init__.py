"""What was done and why: status, verification, scripts."""
