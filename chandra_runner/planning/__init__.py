"""What has to run, and why: the task graph, ledgers, fingerprints, manifests."""
