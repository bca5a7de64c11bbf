"""The report of a conversion: its page, its tables and its drawings."""
