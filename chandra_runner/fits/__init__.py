"""Reading and writing FITS files: events, tables, headers, good times."""
