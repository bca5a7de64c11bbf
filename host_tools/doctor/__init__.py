"""What a board needs to be reached and to run, looked at in one go."""
