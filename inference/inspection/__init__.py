"""Quality inspection of part images and process values."""
