"""Operations reports of the city and of single organisations: daily, weekly, monthly; frozen, signed, kept."""
