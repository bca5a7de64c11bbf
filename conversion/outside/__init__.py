"""What comes from outside, and how it is let in: file names, file contents, JSON and text that nobody vouches for."""
