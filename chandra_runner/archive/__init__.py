"""Where ObsIDs that are not under `data` come from."""
