"""What an ObsID directory holds."""
