"""The pages of a team: one file for each, or for each errand."""
