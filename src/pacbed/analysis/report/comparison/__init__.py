"""A recorded pattern beside any candidate: kept in a small file, compared in a moment."""
