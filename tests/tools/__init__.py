"""Programs for the developers of this project; none of them is a test."""
