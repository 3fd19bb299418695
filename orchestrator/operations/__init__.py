"""What people and Git hosts ask for: start, approve, poll, pause, resume, abort, roll back."""
