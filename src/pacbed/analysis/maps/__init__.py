"""Thickness maps: the windows of a 4D-STEM data set, fitted with what they share."""
