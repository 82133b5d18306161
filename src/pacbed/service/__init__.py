"""The look-up service: bundles answered over HTTP, with limits, a store and provenance."""
