"""What must be open before a wave: approvals, windows, freezes."""
