"""Reading what is to be judged; nothing here knows a criterion, and nothing changes what it reads."""
