"""What every service shares: technical concerns only, no business noun."""
