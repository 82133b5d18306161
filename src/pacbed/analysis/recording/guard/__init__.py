"""What a file asks for before it is read: other files, and memory."""
