"""Recipe compact: patterns rendered about their bright region, kept, and degraded anew in every epoch."""
