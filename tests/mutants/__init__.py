"""`make mutants`: breaks the code, a line at a time, and sees whether a test notices."""
