"""Trained models leave the package: to a server, a phone, a browser."""
