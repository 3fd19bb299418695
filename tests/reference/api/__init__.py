"""What is said of `/api/v1`: its page, and its OpenAPI document."""
