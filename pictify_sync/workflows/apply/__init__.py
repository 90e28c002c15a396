"""The use case `apply`: batches intended, submitted, polled, downloaded and settled; moves and deletes."""
