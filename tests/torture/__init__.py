"""The torture: the product's real processes on real servers, killed and starved while mail comes in."""
