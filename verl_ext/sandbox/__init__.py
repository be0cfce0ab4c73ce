"""Runs programs that nobody trusts: protocol, clients, the embedded server and its isolation."""
