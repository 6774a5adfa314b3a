"""The pages that Stripe would host: checkout, portal, invoice, confirmation, and an index."""
