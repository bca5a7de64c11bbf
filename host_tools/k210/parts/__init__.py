"""What is on the board around the K210: flash chip, camera, LCD, SD card, power chip."""
