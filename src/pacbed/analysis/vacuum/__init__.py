"""What a vacuum pattern tells: the beam's intensity, and the disk's size, distortion, edge and shading."""
