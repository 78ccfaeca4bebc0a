"""Windows: Wasp is inside WSL; here are only wasp.cmd and the user's PATH."""
