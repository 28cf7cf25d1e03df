"""The situation wall: full-screen pages for a big screen that follow each other and refresh themselves."""
