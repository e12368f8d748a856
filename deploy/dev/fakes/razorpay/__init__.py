"""A payment provider that moves no money, for development: `python -m fakes.razorpay`.

It speaks Razorpay's HTTP API as far as booking uses it, and sends the same signed webhooks. What a
buyer would do at the checkout, and what can go wrong, is asked for under `/control`.
"""
