"""An OpenID provider where anybody can sign in as anybody: `python -m fakes.openid_provider`."""
