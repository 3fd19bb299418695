"""What a repository of policies begins with, and what editors know of its files."""
