"""What happens to a change: the model, waves, the plan, what comes next. Pure."""
