"""What is written to other systems: what is to stand there, the plan, the requests, and what is remembered of them."""
