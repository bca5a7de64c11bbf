"""What runs the guest's code: two Unicorn cores on one memory, and the time that passes meanwhile."""
