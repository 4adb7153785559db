"""The operating system: processes, ports, descriptors, and what the machine is."""
