"""The configuration: its shape, how it is read, where everything lies, how processes start with it."""
