"""One recorded pattern to a thickness with an error bar and a verdict."""
