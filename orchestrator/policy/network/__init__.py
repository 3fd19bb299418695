"""What policies say of all workloads together: connections, name resolution, differences."""
