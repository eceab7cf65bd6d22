"""Files that several runs share: locks, atomic writes, the state directory."""
