"""The laboratory: the papers' own tasks and learning rules, and what can be seen inside a network.

Each module is one task or one instrument; nothing here loads with the package.
"""
