"""Float decoders as others wrote them down: to compare the firmware's integers with, never to verify with."""
