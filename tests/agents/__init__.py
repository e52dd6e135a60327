"""Real user agents, to test with what a customer has on the desk."""
