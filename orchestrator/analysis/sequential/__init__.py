"""Tests that may be looked at again and again: from counters to the alarm of a wave."""
