"""The board of early warnings (预警), the page of one warning with its receipt matrix, and the tables of the site."""
