"""What the database refuses, whoever asks: `rules` says what, `installation` puts it in place."""
