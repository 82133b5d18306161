"""What a bundle, a stack or a recording holds, in a few lines."""
