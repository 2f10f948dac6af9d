"""How people move: speech, emotions, blinks, glances, poses."""
