"""What several tests share: made files, small networks, running servers."""
