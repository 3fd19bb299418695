"""What a browser keeps and may do: cookies, seals, headers, forms, where it goes next."""
