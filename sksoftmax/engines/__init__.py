"""The engines, which compute the steps of training."""
