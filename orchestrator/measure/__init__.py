"""What a wave is judged by: who is watched, what is read and probed at each check, and what is kept of it."""
