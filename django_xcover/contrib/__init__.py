"""Ready-made connections to shop frameworks. They import the public face only."""
