"""What lint looks for, in words: each rule with its id and severity."""
