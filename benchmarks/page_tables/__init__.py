"""The tables of the pages, a file a subject; each is made of the result files that are there."""
