"""The shop's fork of Oscar's checkout, which takes payments. It knows nothing of cover."""
