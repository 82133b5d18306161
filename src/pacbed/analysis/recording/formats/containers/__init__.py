"""Files that hold many arrays: HDF5 in its layouts, Zarr."""
