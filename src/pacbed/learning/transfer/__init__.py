"""What a training begins with, and in which parts it goes on from there."""
