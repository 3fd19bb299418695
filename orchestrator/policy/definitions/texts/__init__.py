"""The hosts that texts of containers and ConfigMaps name."""
