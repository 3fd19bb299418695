"""What is shown and said of mistakes: places in files, and the command line's own."""
