"""What the scores of a whole leaderboard tell: order, noise, places."""
