"""What make runs: set-up, peers, locks."""
