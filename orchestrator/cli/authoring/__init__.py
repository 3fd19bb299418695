"""What writes policies: from service definitions, from another API, from a cluster."""
