"""What the image stages share."""
