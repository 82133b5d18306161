"""What a prediction leaves on disk: sheet, map, picture, table, inspection."""
