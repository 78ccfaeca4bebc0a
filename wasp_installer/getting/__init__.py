"""From a wish for Wasp to a checked archive: the machine, the sources, the network, trust."""
