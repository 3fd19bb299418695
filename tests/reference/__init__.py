"""The pages of docs/reference, each written from what it describes: `make reference` writes them."""
