"""Archives of Chandra data: download ObsIDs, and search the catalogs for them."""
