"""The provider without an account: Pictify's client over Pictify's server, in this process."""
