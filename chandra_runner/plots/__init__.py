"""Light curves and images as pictures."""
