"""What expires: registered domains as the registries know them, and reminders of domains and certificates."""
