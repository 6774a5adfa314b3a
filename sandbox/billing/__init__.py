"""How the sandbox bills: cards, invoices, the life of a subscription, and what falls due when."""
