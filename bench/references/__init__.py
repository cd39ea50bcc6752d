"""What the figures are held against: small programs that do the bare minimum of the same work with known parts."""
