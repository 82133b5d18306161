"""The renderer's compiled loops; nobody else imports them."""
