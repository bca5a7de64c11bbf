"""The parts of `deploy`: what is to be done, how it is done on a board or an SD card, and what the board then says."""
