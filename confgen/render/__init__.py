"""Tenants to typed rows, and rows to text. Pure."""
