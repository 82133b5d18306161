"""The container: compact table, packing, opening, making its table again."""
