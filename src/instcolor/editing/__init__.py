"""What a person turns or asks after the networks have run."""
