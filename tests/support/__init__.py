"""What the tests stand on: a server that misbehaves, archives, front ends, tool folders."""
