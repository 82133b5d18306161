"""What the rules ask of the package: inputs, memory and time, stage versions."""
