"""What a microscope wrote: files, calibration, bright region."""
