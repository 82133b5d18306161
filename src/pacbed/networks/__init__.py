"""What training and prediction share: inputs, classes, architectures, ONNX sessions."""
