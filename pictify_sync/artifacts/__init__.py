"""Where pictures are kept once they are made: verified, published by rename, moved and removed without loss."""
