"""What is said of files and requests without what was given in confidence."""
