"""The command line: options, what people and programs read, and the sh program that it runs."""
