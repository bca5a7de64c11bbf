"""What runs beside a Maix board: flashing, deploying, watching, verifying, and a virtual board to do it all with."""
