"""Faults of workers, clients and partitions on a cluster of processes."""
